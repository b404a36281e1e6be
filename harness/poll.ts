import { setTimeout as delay } from 'node:timers/promises'
import { Limit } from './limit.ts'

/** The shortest and the longest pause between two polls, ms. */
export const pollMs = 50
const longestPauseMs = 250

/**
 * Calls `check` until it returns something; undefined when it returned nothing by the deadline, which is later on a busy
 * machine (`Limit`). One more call follows the deadline, so that a machine that stalled is not mistaken for a leak.
 * @param pauseMs the pause before the next call; by default a twentieth of the time waited so far, because a long wait
 * need not be known more exactly
 */
export async function poll<T>(
  deadlineMs: number,
  check: () => Promise<T | undefined>,
  pauseMs: (waitedMs: number) => number = waitedMs => pauseAfter(waitedMs / 20),
): Promise<T | undefined> {
  const limit = new Limit(deadlineMs)
  const startedAt = performance.now()
  for (;;) {
    const last = limit.isOver
    const found = await check()
    if (found !== undefined || last) return found
    await delay(pauseMs(performance.now() - startedAt))
  }
}

/** A pause of about `ms`, within the shortest and the longest. */
export function pauseAfter(ms: number): number {
  return Math.min(Math.max(ms, pollMs), longestPauseMs)
}
