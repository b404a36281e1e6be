import fs from 'node:fs'
import { CleanupError } from '../errors.ts'
import { USER_HZ } from '../platform/processes/stat.ts'
import { isAlive } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'

/** The wall clock, which can be set, and the time since boot (a suspended machine counts too), which cannot; in ms. */
export interface Clock {
  wallMs: number
  bootMs: number
}

/** How far the two may drift apart before the wall clock counts as moved: 1 hour. */
const MOVED_MS = 3_600_000

/** Throws a CleanupError (`processes-hidden`) without a /proc: there retention cannot tell who has a file open either. */
export function readClock(): Clock {
  try {
    const uptime = fs.readFileSync('/proc/uptime', 'latin1').split(' ')[0]
    return { wallMs: Date.now(), bootMs: Number(uptime) * 1000 }
  } catch (cause) {
    throw new CleanupError(
      'processes-hidden',
      'Retention needs /proc (Linux), because without it nobody can tell whether a log is still being written. Nothing was deleted.',
      { cause },
    )
  }
}

/** By how many ms the wall clock was moved since an earlier reading; 0 when it is right within the hour. */
export function movedSince(earlier: Clock, now: Clock): number {
  const movedMs = now.wallMs - earlier.wallMs - (now.bootMs - earlier.bootMs)
  return Math.abs(movedMs) > MOVED_MS ? movedMs : 0
}

/**
 * An earlier reading that needs no memory of ours: a live agent's session was made at a time of the wall clock that
 * tmux noted, and its pane's process was started at a time since boot that the kernel did.
 */
export function readingOf({ tmux }: AgentEntry): Clock | undefined {
  const { pane_pid: pid, pane_start: start, session_created } = tmux ?? {}
  if (typeof pid !== 'number' || typeof start !== 'number' || typeof session_created !== 'number')
    return undefined
  return isAlive({ pid, start })
    ? { wallMs: session_created * 1000, bootMs: (start * 1000) / USER_HZ }
    : undefined
}
