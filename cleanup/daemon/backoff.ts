const FIRST_MS = 1_000
const LONGEST_MS = 60_000

/**
 * The pause between two attempts to clean up one agent: it doubles with each failure, from one second to one minute, by the
 * monotonic clock.
 */
export class Backoff {
  #pauseMs: number | undefined
  #dueAt = Number.NEGATIVE_INFINITY

  get isDue(): boolean {
    return performance.now() >= this.#dueAt
  }

  /** Returns how long the pause is now, in ms. */
  failed(): number {
    this.#pauseMs = this.#pauseMs === undefined ? FIRST_MS : Math.min(this.#pauseMs * 2, LONGEST_MS)
    this.#dueAt = performance.now() + this.#pauseMs
    return this.#pauseMs
  }

  succeeded(): void {
    this.#pauseMs = undefined
    this.#dueAt = Number.NEGATIVE_INFINITY
  }
}
