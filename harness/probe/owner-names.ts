/** Names are indexed by so many last characters, in which ids, sessions and pids differ. */
const keyLength = 6

/**
 * Names with their owners. A text is searched for all names at once, in a time that depends on its length and not on
 * the number of names.
 */
export class OwnerNames {
  readonly #owners = new Map<string, string>()
  /** The names by their last characters, the longest first. */
  readonly #byEnd = new Map<string, string[]>()
  readonly #lengths = new Set<number>()

  set(name: string, owner: string): void {
    if (!this.#owners.has(name)) this.#file(name)
    this.#owners.set(name, owner)
  }

  has(name: string): boolean {
    return this.#owners.has(name)
  }

  #file(name: string): void {
    const end = name.slice(-keyLength)
    this.#lengths.add(end.length)
    const others = this.#byEnd.get(end) ?? []
    this.#byEnd.set(
      end,
      [...others, name].sort((a, b) => b.length - a.length),
    )
  }

  /** The owner of the longest name in the text, because one agent's id may be a prefix of another's. */
  ownerIn(text: string): string | undefined {
    let longest: string | undefined
    for (const length of this.#lengths) {
      for (let end = length; end <= text.length; end++) {
        const found = this.#byEnd.get(text.slice(end - length, end))?.find(name => text.endsWith(name, end))
        if (found !== undefined && found.length > (longest?.length ?? -1)) longest = found
      }
    }
    return longest === undefined ? undefined : this.#owners.get(longest)
  }
}
