import { setTimeout as pause } from 'node:timers/promises'

const WITHIN_MS = 1_000

/** The answer as soon as there is one; undefined when that takes more than a second. */
export async function confirmed<T>(ask: () => T | undefined): Promise<T | undefined> {
  const deadline = performance.now() + WITHIN_MS
  for (;;) {
    const answer = ask()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) return undefined
    await pause(2)
  }
}
