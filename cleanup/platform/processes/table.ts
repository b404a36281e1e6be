import { singleFlight } from '../single-flight.ts'
import { backend, processesHidden } from './backend.ts'
import { type Environment, NO_ENVIRONMENT, readEnvironment } from './environment.ts'
import type { Identity } from './identity.ts'
import { isLeader, newestPid, pidsSince } from './new-pids.ts'
import { type OpenFiles, readOpenFiles } from './open-files.ts'
import { listProc, readProcStat } from './proc.ts'
import { listByPs } from './ps.ts'
import { hasEnded, type Process } from './stat.ts'

/** A process with the relevant part of its initial environment. */
export interface SeenProcess extends Process {
  environment: Environment
}

/** How often a pass adds processes that were started meanwhile. A machine that compiles starts new ones all the time. */
const LATECOMER_ROUNDS = 8

/** Every process of one pass over /proc, or of one ps. */
export type ProcessTable = ReadonlyMap<number, SeenProcess>

/** The processes and their open files. */
export interface Machine {
  table: ProcessTable
  openFiles: OpenFiles
  /** When the descriptors were read, in ms of performance.now(). */
  openedAt: number
}

/** How long the descriptors of a process count as current, in ms. Reading those of all processes is the most expensive read. */
const FRESH_MS = 100

/**
 * Reads the process table in one pass. Throws a CleanupError (`processes-hidden`) when not all processes are visible: a hidden
 * process must not be taken for ended.
 */
export const readTable: () => Promise<ProcessTable> = singleFlight(readTableNow)

/** Reads the process table and then the descriptors of its processes. */
export const readMachine: () => Promise<Machine> = singleFlight(() => {
  const openedAt = performance.now()
  const table = readTableNow()
  return { table, openFiles: readOpenFiles(userPids(table)), openedAt }
})

/**
 * Reads both again. Within FRESH_MS, only the descriptors of new processes are read. A descriptor that was closed since is
 * noticed when its target is read, and no read can include a process that starts after it.
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

/** `readTable` without waiting for the event loop, in which a forking process would get ahead. */
export function readTableNow(): Map<number, SeenProcess> {
  const table = backend === 'proc' ? passOverProc() : new Map(readPs())
  if (!table.has(1) || !table.has(process.pid))
    throw processesHidden('it does not show process 1 and this one')
  return table
}

/** The last pass. A process's initial environment is read again only after an exec. */
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
 * Adds the processes that were started since the pid `since` was assigned, by trying the pids after it. A list of /proc is
 * milliseconds old at its end: a process that keeps forking a successor and exiting is never in it. Returns the newest pid
 * that was tried.
 */
export function addNewest(table: Map<number, SeenProcess>, since: number): number {
  let tried = since
  for (let round = 0; round < LATECOMER_ROUNDS; round++) {
    const last = newestPid()
    if (last === tried) break
    for (const pid of pidsSince(tried, last)) if (isLeader(pid)) addSeen(table, pid)
    tried = last
  }
  return tried
}

function addSeen(table: Map<number, SeenProcess>, pid: number): void {
  const found = readProcStat(pid)
  // The environment is read after the stat: if the pid is reused in between, the start time no longer matches, so no signal is sent.
  if (found) table.set(pid, { ...found, environment: environmentOf(found) })
}

function environmentOf({ pid, start, kernel, environmentAt }: Process): Environment {
  if (kernel) return NO_ENVIRONMENT
  const before = lastPass.get(pid)
  // Every exec picks a random 64-bit address. A fork keeps the address and the environment.
  const isSame = environmentAt !== 0 && before?.start === start && before.environmentAt === environmentAt
  return isSame ? before.environment : readEnvironment(pid)
}

let fromPs: Map<number, SeenProcess> | undefined

/** Starting ps takes as long as a hundred reads of /proc, so all calls in one turn of the event loop share its output. */
function readPs(): ReadonlyMap<number, SeenProcess> {
  if (!fromPs) {
    fromPs = new Map([...listByPs()].map(([pid, found]) => [pid, { ...found, environment: NO_ENVIRONMENT }]))
    setImmediate(() => {
      fromPs = undefined
    })
  }
  return fromPs
}

/** A process's current state; undefined when it is gone or hidden. */
export function readProcess(pid: number): Process | undefined {
  return backend === 'proc' ? readProcStat(pid) : readPs().get(pid)
}

/** A process's start time in clock ticks since boot (with ps, in seconds since 1970); undefined when it does not exist. */
export const startOf = (pid: number): number | undefined => readProcess(pid)?.start

/** The process with this identity if it has not ended; otherwise undefined. */
export function readAlive(identity: Identity): Process | undefined {
  const now = readProcess(identity.pid)
  return now && now.start === identity.start && !hasEnded(now) ? now : undefined
}

/** True while the process with this identity runs: not a zombie, and not another process with its pid. */
export const isAlive = (identity: Identity): boolean => readAlive(identity) !== undefined
