import fs from 'node:fs'
import { CleanupError } from '../errors.ts'
import { USER_HZ } from '../platform/processes/stat.ts'
import { isAlive } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'

/** The wall clock, which can be set, and the time since boot (including suspends), which cannot; in ms. */
export interface Clock {
  wallMs: number
  bootMs: number
}

/** How far the two may drift apart before the wall clock counts as changed: 1 hour. */
const CHANGED_MS = 3_600_000

/** Throws a CleanupError (`processes-hidden`) without a /proc, where the open files cannot be read either. */
export function readClock(): Clock {
  try {
    const uptime = fs.readFileSync('/proc/uptime', 'latin1').split(' ')[0]
    return { wallMs: Date.now(), bootMs: Number(uptime) * 1000 }
  } catch (cause) {
    throw new CleanupError(
      'processes-hidden',
      'Retention needs /proc (Linux) to know whether a log is still being written. Nothing was removed.',
      { cause },
    )
  }
}

/** By how many ms the wall clock was set forward since an earlier reading; 0 for less than an hour. */
export function clockShift(earlier: Clock, now: Clock): number {
  const shiftMs = now.wallMs - earlier.wallMs - (now.bootMs - earlier.bootMs)
  return Math.abs(shiftMs) > CHANGED_MS ? shiftMs : 0
}

/**
 * An earlier reading of both clocks that a live agent carries: tmux notes the wall-clock time at which it created the
 * session, and the kernel the time since boot at which it started the pane's process.
 */
export function readingOf({ tmux }: AgentEntry): Clock | undefined {
  const { pane_pid: pid, pane_start: start, session_created } = tmux ?? {}
  if (typeof pid !== 'number' || typeof start !== 'number' || typeof session_created !== 'number')
    return undefined
  return isAlive({ pid, start })
    ? { wallMs: session_created * 1000, bootMs: (start * 1000) / USER_HZ }
    : undefined
}
