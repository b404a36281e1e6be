import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { projectRoot } from '../../bin/programs.ts'
import type { PaneResource, ProcessResource, Snapshot } from '../snapshot/snapshot.ts'
import type { Rig } from './rig.ts'

/** Where what is left of a scenario was brought to, or why it could not be. */
export interface Kept {
  kept?: string
  notKept?: string
}

/** Brings a scenario out. A disk that is full or read-only changes no verdict: it is said, and nothing is thrown. */
export async function keep(rig: Rig, scenario: string): Promise<Kept> {
  try {
    return { kept: await bringOut(rig, scenario) }
  } catch (error) {
    return { notKept: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * Brings out of the sandbox what is needed for a look afterwards, to `.leakrig/<scenario>`: the last snapshot
 * and its process tree, the panes' contents and the workspace. What a sandbox that died can not give any more
 * is left out; the last snapshot is on this side already. Returns the folder.
 * @throws where the folder cannot be written.
 */
export async function bringOut(rig: Rig, scenario: string): Promise<string> {
  const all = join(projectRoot, '.leakrig')
  const folder = join(all, scenario.replaceAll(/[^\w-]+/g, '-'))
  rmSync(folder, { recursive: true, force: true })
  // One by one: of two levels at once, a read-only disk is an ENOENT.
  mkdirSync(all, { recursive: true })
  mkdirSync(folder)
  const snapshot = await rig.snapshot().catch(() => rig.lastSnapshot)
  if (snapshot) {
    writeFileSync(join(folder, 'snapshot.json'), `${JSON.stringify(snapshot, null, 2)}\n`)
    writeFileSync(join(folder, 'processes.txt'), processTree(snapshot))
  }
  await Promise.all([
    copyWorkspace(rig, folder),
    copyPanes(rig, folder, snapshot),
    copySystemLog(rig, folder),
  ]).catch(error => writeFileSync(join(folder, 'missing.txt'), `${String(error)}\n`))
  return folder
}

async function copyWorkspace(rig: Rig, folder: string): Promise<void> {
  for (const { path, base64 } of await rig.probe.collect(rig.places.workspace)) {
    const copy = join(folder, relative(rig.places.work, path))
    mkdirSync(dirname(copy), { recursive: true })
    writeFileSync(copy, Buffer.from(base64, 'base64'))
  }
}

async function copyPanes(rig: Rig, folder: string, snapshot: Snapshot | undefined): Promise<void> {
  const panes = snapshot?.resources.filter((one): one is PaneResource => one.kind === 'pane') ?? []
  const texts = await Promise.all(
    panes.map(async ({ socket, pane, sessionName }) => {
      const { stdout } = await rig.probe.run(['tmux', '-S', socket, 'capture-pane', '-p', '-J', '-t', pane])
      return `== ${sessionName} ${pane}\n${stdout.trimEnd()}\n`
    }),
  )
  writeFileSync(join(folder, 'panes.txt'), texts.join('\n'))
}

async function copySystemLog(rig: Rig, folder: string): Promise<void> {
  writeFileSync(join(folder, 'system.log'), await rig.probe.systemLog())
}

function processTree({ resources }: Snapshot): string {
  const all = resources.filter((one): one is ProcessResource => one.kind === 'process')
  const known = new Set(all.map(({ pid }) => pid))
  const branch = (parent: ProcessResource, depth: number): string[] => [
    `${'  '.repeat(depth)}${parent.pid} ${parent.state} ${parent.command}${parent.owner ? `   <- ${parent.owner.agent}` : ''}`,
    ...all.filter(({ ppid }) => ppid === parent.pid).flatMap(child => branch(child, depth + 1)),
  ]
  const tops = all.filter(({ ppid }) => !known.has(ppid))
  return `${tops.flatMap(top => branch(top, 0)).join('\n')}\n`
}
