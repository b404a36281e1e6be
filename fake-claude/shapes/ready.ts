import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, stateOf, tree } from '../process/children/process-tree.ts'

/** A process of a shape, or a file, as it announced itself. */
export interface Made {
  pid?: number
  path?: string
  role: string
  /** The state that a process must be seen in before it counts; `-`: any. */
  state: string
}

// Fifty perls on a loaded machine take a while. Whoever is late is not noticed by its absence, but told as an error.
const patience = 60_000

/** Everything that announced itself in `path`, once `count` of it are in the role `last`, and all in their state. */
export async function allReady(path: string, last: string, count: number): Promise<Made[]> {
  return until(`${count} processes are there as ${last}`, () => {
    const all = read(path)
    const there = all.filter(({ role }) => role === last).length === count
    return there && all.every(({ pid, state }) => !pid || state === '-' || stateOf(pid) === state)
      ? all
      : undefined
  })
}

/** What lives below a process, once there are so many. */
export async function treeReady(pid: number, count: number): Promise<number[]> {
  return until(`there are ${count} processes below ${pid}`, () => {
    const below = tree(pid).slice(1).filter(isAlive)
    return below.length === count ? below : undefined
  })
}

async function until<T>(what: string, ask: () => T | undefined): Promise<T> {
  const deadline = performance.now() + patience
  for (;;) {
    const answer = ask()
    if (answer !== undefined) return answer
    if (performance.now() > deadline)
      throw new Error(`fake-claude: waited ${patience} ms in vain until ${what}.`)
    await sleep(5)
  }
}

function read(path: string): Made[] {
  const text = readFileSync(path, 'utf8')
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
  return lines.map(line => {
    const [, pid, role = '', rest = ''] = /^(\d+) (\S+) (.*)$/.exec(line) ?? []
    return Number(pid) > 0 ? { pid: Number(pid), role, state: rest } : { path: rest, role, state: '-' }
  })
}
