import { setTimeout as delay } from 'node:timers/promises'
import { Limit } from '../limit.ts'

/** How often the rig looks while it waits for something, ms. */
export const pollMs = 50

/**
 * Looks again and again until `look` gives something; undefined when it gave nothing by the deadline, which is as much
 * later as the machine is busy (`Limit`). It always looks once more after it, so a machine that stalled is not mistaken
 * for a leak. `pauseMs`: how long it waits between two looks.
 */
export async function poll<T>(
  deadlineMs: number,
  look: () => Promise<T | undefined>,
  pauseMs: () => number = () => pollMs,
): Promise<T | undefined> {
  const limit = new Limit(deadlineMs)
  for (;;) {
    const last = limit.isOver
    const found = await look()
    if (found !== undefined || last) return found
    await delay(pauseMs())
  }
}
