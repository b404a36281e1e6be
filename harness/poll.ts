import { setTimeout as delay } from 'node:timers/promises'
import { Limit } from './limit.ts'

/** How often the rig looks at most while it waits for something, ms; and at least. */
export const pollMs = 50
const seldomMs = 250

/**
 * Looks again and again until `look` gives something; undefined when it gave nothing by the deadline, which is as much
 * later as the machine is busy (`Limit`). It always looks once more after it, so a machine that stalled is not mistaken
 * for a leak. `pauseMs`: how long it waits between two looks;
 * where it is not given, a twentieth of what it has waited: what took long is not known more exactly for many looks.
 */
export async function poll<T>(
  deadlineMs: number,
  look: () => Promise<T | undefined>,
  pauseMs: (waitedMs: number) => number = waitedMs => pauseAfter(waitedMs / 20),
): Promise<T | undefined> {
  const limit = new Limit(deadlineMs)
  const startedAt = performance.now()
  for (;;) {
    const last = limit.isOver
    const found = await look()
    if (found !== undefined || last) return found
    await delay(pauseMs(performance.now() - startedAt))
  }
}

/** A wish for a pause, within what the rig does. */
export function pauseAfter(ms: number): number {
  return Math.min(Math.max(ms, pollMs), seldomMs)
}
