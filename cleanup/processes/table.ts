import fs from 'node:fs'
import { CleanupError } from '../errors.ts'
import { type Environment, NO_ENVIRONMENT, readEnvironment } from './environment.ts'
import type { Identity } from './identity.ts'
import { type OpenFiles, readOpenFiles } from './open-files.ts'
import { readProc } from './proc-file.ts'
import { isLeader, newest, pidsSince } from './recent.ts'
import { sharedPass } from './shared-pass.ts'
import { hasEnded, type Process, parseStat } from './stat.ts'

/** A process with what its initial environment says. */
export interface SeenProcess extends Process {
  environment: Environment
}

/** How often a pass looks for what was started in the meantime: a machine that builds something always starts something. */
const GLANCES = 8

/** Every process there was during one pass over /proc. */
export type ProcessTable = ReadonlyMap<number, SeenProcess>

/** The processes, and who has which file open. */
export interface Machine {
  table: ProcessTable
  openFiles: OpenFiles
}

/**
 * Reads the process table in one pass. Throws a CleanupError (`processes-hidden`) where /proc does not show all
 * processes: what is not seen must not be taken for gone.
 */
export const readTable: () => Promise<ProcessTable> = sharedPass(readTableNow)

/** Reads the process table, and then the descriptors of the processes in it. */
export const readMachine: () => Promise<Machine> = sharedPass(() => {
  const table = readTableNow()
  const users = [...table.values()].filter(process => !process.kernel)
  return { table, openFiles: readOpenFiles(users.map(({ pid }) => pid)) }
})

/** The same at once, for whoever cannot wait for a turn of the event loop: a process that forks does not wait either. */
export function readTableNow(): Map<number, SeenProcess> {
  const since = newest()
  const table = new Map<number, SeenProcess>()
  for (const pid of listPids()) addSeen(table, pid)
  addNewest(table, since)
  if (!table.has(1) || !table.has(process.pid)) throw hidden('it does not show process 1 and this one')
  if (fs.readlinkSync('/proc/self') !== String(process.pid))
    throw hidden('it counts processes as another namespace does')
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
    const last = newest()
    if (last === seen) break
    // The number may be a thread's, which stands for no process of its own.
    for (const pid of pidsSince(seen, last)) if (isLeader(pid)) addSeen(table, pid)
    seen = last
  }
  return seen
}

function addSeen(table: Map<number, SeenProcess>, pid: number): void {
  const found = readProcess(pid)
  // The environment after the stat: should the number change hands in between, the start time no longer fits, and no signal is sent.
  if (found) table.set(pid, { ...found, environment: found.kernel ? NO_ENVIRONMENT : readEnvironment(pid) })
}

/** One process as it is now; undefined when it is gone, or when /proc does not show it. */
export function readProcess(pid: number): Process | undefined {
  const bytes = readProc(`/proc/${pid}/stat`)
  // latin1 keeps every byte of a name, whatever it is.
  return typeof bytes === 'string' ? undefined : parseStat(bytes.toString('latin1'))
}

/** When a process started, in clock ticks since boot: with its pid, its identity. Undefined when there is no such process. */
export const startOf = (pid: number): number | undefined => readProcess(pid)?.start

/** The process when it is still this very one and has not ended; undefined otherwise. */
export function readAlive(identity: Identity): Process | undefined {
  const now = readProcess(identity.pid)
  return now && now.start === identity.start && !hasEnded(now) ? now : undefined
}

/** True while this very process runs: not ended, not a zombie, and not another one with its number. */
export const isAlive = (identity: Identity): boolean => readAlive(identity) !== undefined

function listPids(): number[] {
  try {
    return fs.readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch (error) {
    throw hidden('it cannot be listed', error)
  }
}

function hidden(why: string, cause?: unknown): CleanupError {
  return new CleanupError(
    'processes-hidden',
    `/proc cannot be relied on here: ${why}. Nothing was ended or deleted on the strength of it; mount it without hidepid, or run as a user who sees all processes.`,
    { cause },
  )
}
