/** How long after a suspicion that came to nothing, or after an agent has appeared, the next looks follow, in ms. */
const AFTER_MS = [500, 1_500, 4_000]

/**
 * Has an agent looked at again after a suspicion that came to nothing: what was just about to end may need a moment, as a
 * pane whose claude is gone and whose wrappers are on their way out.
 */
export class SecondLooks {
  readonly #dueAt = new Map<string, number[]>()

  /** Asks for them, unless they are under way. */
  ask(key: string): void {
    if (!this.#dueAt.has(key))
      this.#dueAt.set(
        key,
        AFTER_MS.map(ms => performance.now() + ms),
      )
  }

  /** True once for each of them. After the last one, another suspicion may ask for more. */
  isDue(key: string): boolean {
    const dueAt = this.#dueAt.get(key)
    const [next] = dueAt ?? []
    if (dueAt === undefined || (next !== undefined && performance.now() < next)) return false
    dueAt.shift()
    if (next === undefined) this.#dueAt.delete(key)
    return next !== undefined
  }

  forget(key: string): void {
    this.#dueAt.delete(key)
  }
}
