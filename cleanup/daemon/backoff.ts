const FIRST_MS = 1_000
const LONGEST_MS = 60_000

/**
 * Lets an agent that could not be cleaned wait longer after each attempt, from one second to a minute, by a clock that
 * nobody can set.
 */
export class Backoff {
  readonly #next = new Map<string, { at: number; pauseMs: number }>()

  isDue(key: string): boolean {
    const next = this.#next.get(key)
    return next === undefined || performance.now() >= next.at
  }

  /** Returns how long the pause is now, in ms. */
  failed(key: string): number {
    const before = this.#next.get(key)?.pauseMs
    const pauseMs = before === undefined ? FIRST_MS : Math.min(before * 2, LONGEST_MS)
    this.#next.set(key, { at: performance.now() + pauseMs, pauseMs })
    return pauseMs
  }

  succeeded(key: string): void {
    this.#next.delete(key)
  }
}
