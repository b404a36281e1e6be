import { isAlive } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'

/** How long a cleaner that works on its own is left alone, in ms: its caller is still waiting for the reply. */
const HEAD_START_MS = 1_000

/**
 * Lets another cleaner finish before the daemon joins in. The time runs from when the daemon first saw that cleaner, by the
 * monotonic clock. A cleaner that is dead gets no time.
 */
export class CleanerHeadStart {
  #seenAt: number | undefined

  isRunning({ cleanup }: AgentEntry): boolean {
    if (!cleanup?.cleaner || cleanup.cleaner.pid === process.pid || !isAlive(cleanup.cleaner)) return false
    this.#seenAt ??= performance.now()
    return performance.now() - this.#seenAt < HEAD_START_MS
  }
}
