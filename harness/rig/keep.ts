import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { projectRoot } from '../sandbox/project.ts'
import type { Rig } from './rig.ts'

/** Copies the workspace of a scenario out of its sandbox, to `.leakrig/kept/<scenario>`; returns that folder. */
export async function keepWorkspace(rig: Rig, scenario: string): Promise<string> {
  const folder = join(projectRoot, '.leakrig/kept', scenario.replaceAll(/[^\w-]+/g, '-'))
  for (const { path, base64 } of await rig.probe.collect(rig.places.workspace)) {
    const copy = join(folder, relative(rig.places.work, path))
    mkdirSync(dirname(copy), { recursive: true })
    writeFileSync(copy, Buffer.from(base64, 'base64'))
  }
  return folder
}
