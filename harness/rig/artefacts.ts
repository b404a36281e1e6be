import { lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { userFolder } from '../../bin/programs.ts'
import { makeFolder } from '../make-folder.ts'
import type { PaneResource, ProcessResource, Snapshot } from '../snapshot/snapshot.ts'
import type { Rig } from './rig.ts'

/** The folder with a copy of a scenario's files, or why there is none. */
export interface Kept {
  kept?: string
  notKept?: string
}

/** Copies a scenario's files. Never throws, because a full or read-only disk must not change the verdict. */
export async function keep(rig: Rig, scenario: string): Promise<Kept> {
  try {
    return { kept: await copyOut(rig, scenario) }
  } catch (error) {
    return { notKept: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * Copies what explains a result out of the sandbox, to `.leakrig/<scenario>`: the last snapshot with its process tree,
 * the contents of the panes, the workspace and the system's log. What a dead sandbox cannot give any more is left out.
 * @returns the folder
 * @throws when the folder cannot be written
 */
export async function copyOut(rig: Rig, scenario: string): Promise<string> {
  const folder = folderFor(scenario)
  rmSync(folder, { recursive: true, force: true })
  makeFolder(folder)
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

/** @throws where a link leads elsewhere: git checks links in, and the rig may run as root */
function folderFor(scenario: string): string {
  const all = join(userFolder, '.leakrig')
  const folder = join(all, scenario.replaceAll(/[^\w-]+/g, '-') || 'unnamed')
  for (const path of [all, folder])
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false)
      throw new Error(`${path} is no folder itself, and nothing is written through a link: remove it`)
  return folder
}

async function copyWorkspace(rig: Rig, folder: string): Promise<void> {
  for (const { path, base64 } of await rig.probe.collect(rig.places.work)) {
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
  writeFileSync(join(folder, 'system.log'), await rig.probe.systemOutput())
}

function processTree({ resources }: Snapshot): string {
  const all = resources.filter((one): one is ProcessResource => one.kind === 'process')
  const pids = new Set(all.map(({ pid }) => pid))
  const branch = (parent: ProcessResource, depth: number): string[] => [
    `${'  '.repeat(depth)}${parent.pid} ${parent.state} ${parent.command}${parent.owner ? `   <- ${parent.owner.agent}` : ''}`,
    ...all.filter(({ ppid }) => ppid === parent.pid).flatMap(child => branch(child, depth + 1)),
  ]
  const tops = all.filter(({ ppid }) => !pids.has(ppid))
  return `${tops.flatMap(top => branch(top, 0)).join('\n')}\n`
}
