import os from 'node:os'
import { backend } from './backend.ts'
import { readProc, readProcLink } from './proc-file.ts'
import { type Process, USER_HZ } from './stat.ts'

/* Details for people, read for a few processes and never for the whole table. Without /proc most of them are unknown. */

/** The monotonic clock, the time since boot (including suspends), and the wall clock at one moment; in ms. */
interface Clocks {
  at: number
  uptimeMs: number
  wallMs: number
}

/** How long a reading of the clocks serves, in ms: it takes a file, and is needed for each process. */
const REREAD_MS = 1_000

/** How far, in ms, clocks may be apart and still show one moment. */
const APART_MS = 3

/** How often the clocks are read when each reading is interrupted. */
const MOST_READINGS = 10

let read: Clocks = { at: Number.NEGATIVE_INFINITY, uptimeMs: 0, wallMs: 0 }

/**
 * They are read again when the wall clock jumps, as it does after a suspend: the monotonic clock stands still meanwhile, and a
 * process of hours ago would count as new.
 */
function clocks(): Clocks {
  const passed = performance.now() - read.at
  const isJump = Math.abs(Date.now() - read.wallMs - passed) > APART_MS
  if (passed < 0 || passed >= REREAD_MS || isJump) read = readClocks()
  return read
}

/** On a busy machine this process may have to wait between two clocks, and then all times would be off by as much. */
function readClocks(): Clocks {
  for (let readings = 1; ; readings += 1) {
    const at = performance.now()
    const all = { at, uptimeMs: os.uptime() * 1000, wallMs: Date.now() }
    if (performance.now() - at < APART_MS || readings === MOST_READINGS) return all
  }
}

/** How far, in ms, an age and a beginning may be off: start times and uptimes come in hundredths of a second. */
export const ROUNDED_MS = 20

/** The age of a process in ms, at the resolution of its start time. */
export function ageMs({ start }: Pick<Process, 'start'>): number {
  if (backend !== 'proc') return Date.now() - start * 1000
  const { at, uptimeMs } = clocks()
  return uptimeMs + performance.now() - at - (start / USER_HZ) * 1000
}

/** When a process began, in ms since 1970 by the wall clock of now, at the resolution of its start time. */
export function beganMs({ start }: Pick<Process, 'start'>): number {
  if (backend !== 'proc') return start * 1000
  const { wallMs, uptimeMs } = clocks()
  return wallMs - uptimeMs + (start / USER_HZ) * 1000
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
