import { setTimeout as pause } from 'node:timers/promises'

/**
 * Calls `poll` every 5 ms until it returns something other than undefined or false, and returns that.
 * Throws an error that names the condition after `ms`.
 */
export async function until<T>(
  condition: string,
  poll: () => T | undefined | false | Promise<T | undefined | false>,
  ms = 30_000,
): Promise<T> {
  const deadline = performance.now() + ms
  for (;;) {
    const result = await poll()
    if (result !== undefined && result !== false) return result
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${condition}`)
    await pause(5)
  }
}
