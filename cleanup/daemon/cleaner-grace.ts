import { isAlive } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'

/** How long a cleaner that set out by itself is left alone, in ms: its caller is still to get an answer. */
const HEAD_START_MS = 1_000

/**
 * Lets a cleaner that is at work finish before the daemon joins in. The time runs from when the daemon saw it, by a clock
 * that nobody can set; a cleaner that is dead has no head start.
 */
export class CleanerGrace {
  readonly #seenAt = new Map<string, number>()

  has(key: string, { cleanup }: AgentEntry): boolean {
    if (!cleanup?.cleaner || cleanup.cleaner.pid === process.pid || !isAlive(cleanup.cleaner)) return false
    const seenAt = this.#seenAt.get(key) ?? performance.now()
    this.#seenAt.set(key, seenAt)
    return performance.now() - seenAt < HEAD_START_MS
  }

  forget(key: string): void {
    this.#seenAt.delete(key)
  }
}
