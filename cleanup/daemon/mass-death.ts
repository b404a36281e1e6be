/** How many agents make a mass death when they are also more than half, and within which time, in ms. */
const AT_LEAST = 5
const WITHIN_MS = 10_000

export interface MassDeath {
  gone: number
  of: number
}

/**
 * Notices when most agents die at once. That is seldom their own doing: a machine that restarted, an out-of-memory
 * killer, somebody's kill-server. An end that somebody reported, or a success, is none of it.
 */
export class MassDeaths {
  readonly #diedAt = new Map<string, number>()
  #isAnnounced = false

  died(key: string): void {
    this.#diedAt.set(key, performance.now())
  }

  /** Of the agents that live by the registries now, which are yet to be told. Returns each mass death once. */
  take(live: readonly string[]): MassDeath | undefined {
    const oldest = performance.now() - WITHIN_MS
    for (const [key, at] of this.#diedAt) if (at < oldest) this.#diedAt.delete(key)
    const gone = this.#diedAt.size
    const left = live.filter(key => !this.#diedAt.has(key)).length
    if (gone === 0) this.#isAnnounced = false
    if (this.#isAnnounced || gone < AT_LEAST || gone <= left) return undefined
    this.#isAnnounced = true
    return { gone, of: gone + left }
  }
}
