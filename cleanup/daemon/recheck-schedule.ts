/** How long after a suspicion that came to nothing, or after an agent has appeared, the next looks follow, in ms. */
const AFTER_MS = [100, 500, 1_500, 4_000, 11_000]

/**
 * Has an agent looked at again after a suspicion that came to nothing: what was just about to end may need a moment,
 * as a pane whose claude is gone and whose wrappers are on their way out; a script that may start claude again, some seconds.
 */
export class RecheckSchedule {
  readonly #dueAt = new Map<string, number[]>()
  readonly #wake: () => void

  constructor(wake: () => void) {
    this.#wake = wake
  }

  /** Asks for them, and no longer for those that are under way: the first one comes soonest. */
  ask(key: string): void {
    const now = performance.now()
    this.#dueAt.set(
      key,
      AFTER_MS.map(ms => now + ms),
    )
    // The first one is due before the next round may be.
    setTimeout(this.#wake, AFTER_MS[0]).unref()
  }

  /** True once for each of them. */
  isDue(key: string): boolean {
    const dueAt = this.#dueAt.get(key)
    const [next] = dueAt ?? []
    if (dueAt === undefined || next === undefined || performance.now() < next) return false
    dueAt.shift()
    if (dueAt.length === 0) this.#dueAt.delete(key)
    return true
  }

  forget(key: string): void {
    this.#dueAt.delete(key)
  }
}
