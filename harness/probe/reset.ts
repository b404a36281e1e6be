import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Places } from './api.ts'
import { isForeign } from './own.ts'
import { readProcesses } from './processes.ts'

/**
 * Ends every process that is not the rig's own and waits until they are gone: the sandbox has pids of its
 * own, so there is nobody else's process in it.
 * @throws when something is still there after 10 s.
 */
export async function endEverything(): Promise<void> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const all = readProcesses()
    const left = all.filter(isForeign(all))
    if (left.length === 0) return
    if (Date.now() > deadline)
      throw new Error(`The sandbox could not be emptied: ${left.map(describe).join(', ')} stay.`)
    for (const { pid } of left) kill(pid)
    await delay(5)
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {}
}

function describe({ pid, comm, state }: { pid: number; comm: string; state: string }): string {
  return `${comm} (${pid}, ${state})`
}

/** Empties the sandbox's folder. `keep` names what lies there and is not the sandbox's. */
export function emptyFolders({ root }: Places, keep: string[]): void {
  for (const name of readdirSync(root)) {
    const path = join(root, name)
    if (!keep.some(kept => kept === path || kept.startsWith(`${path}/`)))
      rmSync(path, { recursive: true, force: true })
  }
}

export function makeFolders(places: Places): void {
  for (const folder of [places.home, places.work, places.own]) mkdirSync(folder, { recursive: true })
  // tmux refuses a socket folder that others may enter.
  mkdirSync(places.tmux, { recursive: true, mode: 0o700 })
}
