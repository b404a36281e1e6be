/** When an agent is checked again after a suspicion that was not confirmed, or after it appeared, in ms. */
const AFTER_MS = [100, 500, 1_500, 4_000, 11_000]

/**
 * The full checks that follow when a suspicion was not confirmed. An agent that is about to end may need a moment: the
 * wrappers around its claude are still exiting. A script that may start claude again needs some seconds.
 */
export class RecheckSchedule {
  readonly #wake: () => void
  #dueAt: number[] = []

  constructor(wake: () => void) {
    this.#wake = wake
  }

  /** Starts the schedule anew; the first check comes soonest. */
  restart(): void {
    const now = performance.now()
    this.#dueAt = AFTER_MS.map(ms => now + ms)
    // The first check is due before the scheduler's next one may be.
    setTimeout(this.#wake, AFTER_MS[0]).unref()
  }

  /** True once for each scheduled check whose time has come. */
  takeDue(): boolean {
    const [next] = this.#dueAt
    if (next === undefined || performance.now() < next) return false
    this.#dueAt.shift()
    return true
  }
}
