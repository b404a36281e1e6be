import { readdirSync, readFileSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { CannotMeasureError } from '../errors.ts'

/** How many of the user's processes and threads may be there at once, and how many are. */
export interface ProcessRoom {
  limit: number
  taken: number
}

/** For Vitest and for each sandbox: four scenarios at once took 305 on two cores, six cells 505. */
const tasksPerSandbox = 100

/** How many cells of one file of the catalogue run side by side. */
export const cellsPerFile = 2

/** How many test files a run has, and how many of one file's tests run side by side, each in a sandbox. */
export const loads = {
  scenarios: { files: 4, perFile: 1 },
  catalogue: { files: 10, perFile: cellsPerFile },
}

/**
 * Programs that get no more processes end in every way, and some not at all. So it is asked before any of them is started.
 * @throws CannotMeasureError that names the limit (`ulimit -u`).
 */
export function requireProcessRoom(
  kind: keyof typeof loads,
  workers = defaultWorkers(),
  room = processRoom(),
): void {
  if (!room) return
  const { files, perFile } = loads[kind]
  const needed = tasksPerSandbox * (Math.min(workers, files) * perFile + 1)
  const { limit, taken } = room
  if (limit - taken >= needed) return
  const few = limit - taken >= tasksPerSandbox * (perFile + 1) ? ', or take --workers 1' : ''
  throw new CannotMeasureError(
    `The rig needs about ${needed} processes and threads, and the limit of this user is ${limit} (ulimit -u), of which ${taken} are taken: raise the limit${few}.`,
  )
}

/** One more than cores: much of a scenario's time is waiting for something to end. */
export function defaultWorkers(): number {
  return availableParallelism() + 1
}

/** Nothing where there is no limit, as for root; or no /proc, where it is not known. */
function processRoom(): ProcessRoom | undefined {
  const uid = process.getuid?.()
  if (!uid) return undefined
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    const limit = Number(/^Max processes\s+(\d+)/m.exec(limits)?.[1])
    return Number.isNaN(limit) ? undefined : { limit, taken: tasksOf(uid) }
  } catch {
    return undefined
  }
}

function tasksOf(uid: number): number {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.reduce((sum, pid) => sum + tasksOfProcess(pid, uid), 0)
}

function tasksOfProcess(pid: string, uid: number): number {
  try {
    return statSync(`/proc/${pid}`).uid === uid ? readdirSync(`/proc/${pid}/task`).length : 0
  } catch {
    return 0 // it has ended
  }
}
