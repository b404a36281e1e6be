import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Limit } from '../limit.ts'
import { linkClaude } from './claude-links.ts'
import { isNotOurs } from './own-processes.ts'
import type { SandboxFolders } from './places.ts'
import { readProcesses } from './processes.ts'
import { runTool } from './tools.ts'

/**
 * Ends every process that is not the rig's own and waits until they are gone. The sandbox has a pid namespace of its
 * own, so that no other process of the machine is in it.
 * @throws when a process is still there after 10 s, or later on a busy machine
 */
export async function endEverything(): Promise<void> {
  const limit = new Limit(10_000)
  for (;;) {
    const all = readProcesses()
    const left = all.filter(isNotOurs(all))
    if (left.length === 0) return
    if (limit.isOver)
      throw new Error(`The sandbox could not be emptied: ${left.map(describe).join(', ')} stay.`)
    for (const { pid } of left) send(pid, 'SIGKILL')
    await delay(5)
  }
}

/** Stops everything before it is killed: otherwise the processes that die last could react to the first deaths. */
export function stopEverything(): void {
  const all = readProcesses()
  for (const { pid } of all.filter(isNotOurs(all))) send(pid, 'SIGSTOP')
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {}
}

/**
 * Unmounts what a scenario mounted below a folder.
 * @throws when a mount stays
 */
export async function unmountBelow(folder: string): Promise<void> {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map(line => (line.split(' ')[4] ?? '').replaceAll(/\\(\d{3})/g, (_, code) => byte(code)))
  for (const point of points.reverse()) {
    if (!point.startsWith(`${folder}/`) && point !== folder) continue
    const { code, stderr } = await runTool('umount', [point])
    if (code !== 0) throw new Error(`The sandbox could not be emptied: ${stderr.trim()}`)
  }
}

/** mountinfo writes a space as `\040` (proc_pid_mountinfo(5)). */
function byte(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8))
}

function describe({ pid, comm, state }: { pid: number; comm: string; state: string }): string {
  return `${comm} (${pid}, ${state})`
}

/** Empties the sandbox's root. `keep` lists folders in it that are not the sandbox's. */
export function emptyFolders({ root }: SandboxFolders, keep: string[]): void {
  for (const name of readdirSync(root)) {
    const path = join(root, name)
    if (!keep.some(kept => kept === path || kept.startsWith(`${path}/`)))
      rmSync(path, { recursive: true, force: true })
  }
}

export function makeFolders(places: SandboxFolders): void {
  for (const folder of [places.home, places.work, places.own]) mkdirSync(folder, { recursive: true })
  // tmux refuses a socket folder that other users may enter.
  mkdirSync(places.tmux, { recursive: true, mode: 0o700 })
  linkClaude(places.home)
}
