import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, stateOf, tree } from '../process/children/process-tree.ts'

/** A process or a file of a shape, as reported by the script that made it. */
export interface ReportedPart {
  pid?: number
  path?: string
  role: string
  /** The state that a process must be seen in before it counts; `-`: any. */
  state: string
}

// Fifty perls on a busy machine take a while. A process that does not become ready is an error.
const readyWithinMs = 60_000

/** Everything that was reported in `path`, once `count` have the role `last` and all are in their state. */
export async function allReady(path: string, last: string, count: number): Promise<ReportedPart[]> {
  return until(`${count} processes are there as ${last}`, () => {
    const all = read(path)
    const there = all.filter(({ role }) => role === last).length === count
    return there && all.every(({ pid, state }) => !pid || state === '-' || stateOf(pid) === state)
      ? all
      : undefined
  })
}

/** The living descendants of a process, once there are `count` of them. */
export async function treeReady(pid: number, count: number): Promise<number[]> {
  return until(`there are ${count} processes below ${pid}`, () => {
    const below = tree(pid).slice(1).filter(isAlive)
    return below.length === count ? below : undefined
  })
}

async function until<T>(what: string, check: () => T | undefined): Promise<T> {
  const deadline = performance.now() + readyWithinMs
  for (;;) {
    const result = check()
    if (result !== undefined) return result
    if (performance.now() > deadline)
      throw new Error(`fake-claude: after ${readyWithinMs} ms it is still not true that ${what}.`)
    await sleep(5)
  }
}

function read(path: string): ReportedPart[] {
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
