import { singleFlight } from '../single-flight.ts'
import { backend, processesHidden } from './backend.ts'
import { type Environment, NO_ENVIRONMENT, readEnvironment } from './environment.ts'
import type { Identity } from './identity.ts'
import { isLeader, newestPid, pidsSince } from './new-pids.ts'
import { type OpenFiles, readOpenFiles } from './open-files.ts'
import { listProc, readProcStat } from './proc.ts'
import { listByPs } from './ps.ts'
import { hasEnded, type Process } from './stat.ts'

/** A process with what its initial environment says. */
export interface SeenProcess extends Process {
  environment: Environment
}

/** How often a pass looks for what was started in the meantime: a machine that builds something always starts something. */
const GLANCES = 8

/** Every process there was during one pass over /proc, or when ps was asked. */
export type ProcessTable = ReadonlyMap<number, SeenProcess>

/** The processes, and who has which file open. */
export interface Machine {
  table: ProcessTable
  openFiles: OpenFiles
  /** When the descriptors were read, in ms of performance.now(). */
  openedAt: number
}

/** How long the descriptors of a process count as read, in ms: a pass over those of a whole machine is the dearest of all looks. */
const FRESH_MS = 100

/**
 * Reads the process table in one pass. Throws a CleanupError (`processes-hidden`) where not all
 * processes can be seen: what is not seen must not be taken for gone.
 */
export const readTable: () => Promise<ProcessTable> = singleFlight(readTableNow)

/** Reads the process table, and then the descriptors of the processes in it. */
export const readMachine: () => Promise<Machine> = singleFlight(() => {
  const openedAt = performance.now()
  const table = readTableNow()
  return { table, openFiles: readOpenFiles(userPids(table)), openedAt }
})

/**
 * The same again. Shortly after a look, the descriptors only of processes that were not there then: what has been closed
 * since is told when a holder is asked for its file, and whoever comes later than this look is missed by any.
 */
export async function readMachineAgain(before: Machine): Promise<Machine> {
  if (performance.now() - before.openedAt > FRESH_MS) return readMachine()
  const table = await readTable()
  const fresh = userPids(table, ({ pid, start }) => before.table.get(pid)?.start !== start)
  return { table, openFiles: readOpenFiles(fresh, before.openFiles), openedAt: before.openedAt }
}

function userPids(table: ProcessTable, isWanted: (process: Process) => boolean = () => true): number[] {
  return [...table.values()].filter(process => !process.kernel && isWanted(process)).map(({ pid }) => pid)
}

/** The same at once, for whoever cannot wait for a turn of the event loop: a process that forks does not wait either. */
export function readTableNow(): Map<number, SeenProcess> {
  const table = backend === 'proc' ? passOverProc() : new Map(askPs())
  if (!table.has(1) || !table.has(process.pid))
    throw processesHidden('it does not show process 1 and this one')
  return table
}

/** The last pass: what a process was started with need not be read again until it executes another program. */
let lastPass: ProcessTable = new Map()

function passOverProc(): Map<number, SeenProcess> {
  const since = newestPid()
  const table = new Map<number, SeenProcess>()
  for (const pid of listProc()) addSeen(table, pid)
  addNewest(table, since)
  lastPass = table
  return table
}

/**
 * Adds what was started since the number `since` was given out, by asking for the numbers that follow it. A list of
 * /proc is milliseconds old when its end is read: a process that forks its successor and exits is never in it.
 * Returns the newest number that was looked at.
 */
export function addNewest(table: Map<number, SeenProcess>, since: number): number {
  let seen = since
  for (let round = 0; round < GLANCES; round++) {
    const last = newestPid()
    if (last === seen) break
    // The number may be a thread's, which stands for no process of its own.
    for (const pid of pidsSince(seen, last)) if (isLeader(pid)) addSeen(table, pid)
    seen = last
  }
  return seen
}

function addSeen(table: Map<number, SeenProcess>, pid: number): void {
  const found = readProcStat(pid)
  // The environment after the stat: should the number change hands in between, the start time no longer fits, and no signal is sent.
  if (found) table.set(pid, { ...found, environment: environmentOf(found) })
}

function environmentOf({ pid, start, kernel, environmentAt }: Process): Environment {
  if (kernel) return NO_ENVIRONMENT
  const before = lastPass.get(pid)
  // The address is drawn at random for every exec, and 64 bits wide; a fork keeps it, and keeps the environment too.
  const isSame = environmentAt !== 0 && before?.start === start && before.environmentAt === environmentAt
  return isSame ? before.environment : readEnvironment(pid)
}

let asked: Map<number, SeenProcess> | undefined

/** Starting ps takes as long as a hundred reads of /proc, so all questions of one turn of the event loop share its answer. */
function askPs(): ReadonlyMap<number, SeenProcess> {
  if (!asked) {
    asked = new Map([...listByPs()].map(([pid, found]) => [pid, { ...found, environment: NO_ENVIRONMENT }]))
    setImmediate(() => {
      asked = undefined
    })
  }
  return asked
}

/** One process as it is now; undefined when it is gone, or when it is not shown. */
export function readProcess(pid: number): Process | undefined {
  return backend === 'proc' ? readProcStat(pid) : askPs().get(pid)
}

/** When a process started, in clock ticks since boot (with ps, in seconds since 1970): with its pid, its identity. Undefined when there is no such process. */
export const startOf = (pid: number): number | undefined => readProcess(pid)?.start

/** The process when it is still this very one and has not ended; undefined otherwise. */
export function readAlive(identity: Identity): Process | undefined {
  const now = readProcess(identity.pid)
  return now && now.start === identity.start && !hasEnded(now) ? now : undefined
}

/** True while this very process runs: not ended, not a zombie, and not another one with its number. */
export const isAlive = (identity: Identity): boolean => readAlive(identity) !== undefined
