import { readdirSync, readFileSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { CannotMeasureError } from '../errors.ts'

/** How many processes and threads the user may have at once (RLIMIT_NPROC), and how many there are. */
export interface ProcessRoom {
  limit: number
  taken: number
}

/** For Vitest, and for each sandbox. Measured on two cores: four scenarios at once took 305, six cells 505. */
const tasksPerSandbox = 100

/** How many cells of one file of the catalogue run side by side. */
export const cellsPerFile = 2

/** How many test files a run has, and how many of one file's tests run side by side, each in a sandbox. */
export const loads = {
  scenarios: { files: 4, perFile: 1 },
  catalogue: { files: 10, perFile: cellsPerFile },
  soak: { files: 1, perFile: 1 },
}

/**
 * Checks the limit before anything is started: a program that gets no more processes fails in unpredictable ways.
 * @throws CannotMeasureError that names the limit (`ulimit -u`)
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
  const advice = limit - taken >= tasksPerSandbox * (perFile + 1) ? ', or take --workers 1' : ''
  throw new CannotMeasureError(
    `The rig needs about ${needed} processes and threads, and the limit of this user is ${limit} (ulimit -u), of which ${taken} are taken: raise the limit${advice}.`,
  )
}

/** One more than cores: much of a scenario's time is waiting for something to end. */
export function defaultWorkers(): number {
  return availableParallelism() + 1
}

/** Undefined where there is no limit, as for root, or no /proc to read it from. */
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
