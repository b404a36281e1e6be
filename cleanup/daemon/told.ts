/**
 * Remembers what was said of whom, so that it is said once and not every round: also when a hundred agents have the
 * same trouble, because they are on one tmux server.
 */
export class Told {
  /** The words, by who had the trouble. */
  readonly #words = new Map<string, string>()

  /** True when these words are news. */
  isNews(who: string, words: string): boolean {
    const isKnown = [...this.#words.values()].includes(words)
    this.#words.set(who, words)
    return !isKnown
  }

  /** The trouble is over. Returns true when there was one, and nobody has it any more. */
  isOver(who: string): boolean {
    const words = this.#words.get(who)
    this.#words.delete(who)
    return words !== undefined && ![...this.#words.values()].includes(words)
  }
}
