import { setTimeout as delay } from 'node:timers/promises'

/** How often the rig looks while it waits for something, ms. */
const pollMs = 50

/**
 * Looks again and again until `look` gives something; undefined when it gave nothing by the deadline.
 * It always looks once more after the deadline, so a machine that stalled is not mistaken for a leak.
 */
export async function poll<T>(
  deadlineMs: number,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const last = Date.now() > deadline
    const found = await look()
    if (found !== undefined || last) return found
    await delay(pollMs)
  }
}
