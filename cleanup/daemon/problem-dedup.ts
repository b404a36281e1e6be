/** Remembers what was said of whom, so that it is said once of each and not every round. */
export class ProblemDedup {
  /** The words, by who had the trouble. */
  readonly #words = new Map<string, string>()

  /** True when these words are news of them, though others may have the same trouble. */
  isNews(who: string, words: string): boolean {
    const isKnown = this.#words.get(who) === words
    this.#words.set(who, words)
    return !isKnown
  }

  /** The trouble is over. Returns true when there was one. */
  isOver(who: string): boolean {
    return this.#words.delete(who)
  }

  /** True while there is one. */
  isIn(who: string): boolean {
    return this.#words.has(who)
  }
}
