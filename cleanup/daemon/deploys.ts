import type { AgentEntry } from '../workspace/registry-types.ts'
import { toldTime } from '../workspace/told-time.ts'

/** How long a deploy may take, in ms: without a session after that, it failed halfway. */
const DEPLOY_MS = 60_000

/**
 * Tells agents that may still be in the making from deploys that failed halfway. Of one that appeared under its eyes
 * it goes by a clock that nobody can set; of one that was there before, also by what its entry says.
 */
export class Deploys {
  readonly #seenAt = new Map<string, { at: number; fromStart: boolean }>()
  #isFirstLook = true

  /** Notes who is there. To be called with every list of live agents. */
  see(keys: Iterable<string>): void {
    for (const key of keys)
      if (!this.#seenAt.has(key))
        this.#seenAt.set(key, { at: performance.now(), fromStart: this.#isFirstLook })
    this.#isFirstLook = false
  }

  mayBeInTheMaking(key: string, entry: AgentEntry): boolean {
    const seen = this.#seenAt.get(key)
    if (!seen) return true
    if (performance.now() - seen.at >= DEPLOY_MS) return false
    // Without a time of its start an agent is of unknown age, and not judged by it.
    return !seen.fromStart || !(Date.now() - toldTime(entry.started_at).latest >= DEPLOY_MS)
  }

  forget(key: string): void {
    this.#seenAt.delete(key)
  }
}
