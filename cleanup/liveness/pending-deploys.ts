import type { AgentEntry } from '../registry/entries.ts'
import { parseTimestamp } from '../registry/timestamps.ts'

/** How long a deploy may take, in ms: without a session after that, it failed halfway. */
const DEPLOY_MS = 60_000

/**
 * How long a deploy that was there before may still take, in ms, by the wall clock as it is now. Without a time of its
 * start an agent is of unknown age, and not judged by it.
 */
function leftOf({ started_at }: AgentEntry): number {
  return Date.now() - parseTimestamp(started_at).latest >= DEPLOY_MS ? 0 : DEPLOY_MS
}

/**
 * Tells agents that may still be in the making from deploys that failed halfway. Of one that appeared under its eyes
 * it goes by a clock that nobody can set; of one that was there before, also by what its entry says when it is first seen.
 */
export class Deploys {
  /** Until when each may be in the making, by that clock, in ms. */
  readonly #until = new Map<string, number>()
  #isFirstLook = true

  /** Notes who is there. To be called with every list of live agents. */
  see(listed: Iterable<{ key: string; entry: AgentEntry }>): void {
    for (const { key, entry } of listed)
      if (!this.#until.has(key))
        this.#until.set(key, performance.now() + (this.#isFirstLook ? leftOf(entry) : DEPLOY_MS))
    this.#isFirstLook = false
  }

  mayBeInTheMaking(key: string): boolean {
    return performance.now() < (this.#until.get(key) ?? Number.POSITIVE_INFINITY)
  }

  forget(key: string): void {
    this.#until.delete(key)
  }
}
