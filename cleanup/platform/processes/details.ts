import os from 'node:os'
import { backend } from './backend.ts'
import { readProc, readProcLink } from './proc-file.ts'
import { type Process, USER_HZ } from './stat.ts'

/* Details for people, read for a few processes and never for the whole table. Without /proc most of them are unknown. */

/** How long, in ms, an uptime is reckoned on from the last one read: to read it takes a file, and it is needed for each process. */
const REREAD_MS = 1_000

/** How far, in ms, the wall clock and the monotonic one may run apart before the uptime is read again. */
const APART_MS = 5

let read = { at: Number.NEGATIVE_INFINITY, uptimeMs: 0, wallAt: 0 }

/**
 * The time since boot, including suspends, which the monotonic clock leaves out: after one, a process of hours ago would
 * count as new. The wall clock jumps then too.
 */
function uptimeMs(): number {
  const now = performance.now()
  const passed = now - read.at
  const isJump = Math.abs(Date.now() - read.wallAt - passed) > APART_MS
  // The wall clock is read last, so an interruption in between shows as a jump at the next call.
  if (passed < 0 || passed >= REREAD_MS || isJump)
    read = { at: now, uptimeMs: os.uptime() * 1000, wallAt: Date.now() }
  return read.uptimeMs + now - read.at
}

/** The age of a process in ms, at the resolution of its start time. */
export function ageMs({ start }: Pick<Process, 'start'>): number {
  return backend === 'proc' ? uptimeMs() - (start / USER_HZ) * 1000 : Date.now() - start * 1000
}

/** The words of a process's command line, as it shows them now; none when they cannot be read. */
export function argumentsOf(pid: number): string[] {
  const bytes = readProc(`/proc/${pid}/cmdline`)
  return typeof bytes === 'string' ? [] : bytes.toString('utf8').split('\0').slice(0, -1)
}

/** The command line with its words joined by spaces, as the process shows it now; its name when it shows none. */
export function commandOf({ pid, comm }: Process): string {
  const bytes = readProc(`/proc/${pid}/cmdline`)
  const text = typeof bytes === 'string' ? '' : bytes.toString('utf8').replaceAll('\0', ' ').trim()
  return text || comm
}

/** The working folder of a process; undefined when it cannot be read. */
export const folderOf = (pid: number): string | undefined =>
  backend === 'proc' ? readProcLink(`/proc/${pid}/cwd`) : undefined
