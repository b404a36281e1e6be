/** How many characters at the end of a name it is found by: ids, sessions and pids differ there. */
const keyLength = 6

/**
 * OwnerNames and whose they are, such that a text is searched for all of them at once: its length decides how long that
 * takes, and not how many names there are.
 */
export class OwnerNames {
  readonly #owners = new Map<string, string>()
  /** The names by the end of each, the longest first. */
  readonly #byEnd = new Map<string, string[]>()
  readonly #lengths = new Set<number>()

  set(name: string, owner: string): void {
    if (!this.#owners.has(name)) this.#file(name)
    this.#owners.set(name, owner)
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

  /** The owner of the longest name that the text contains: one agent's id may be the beginning of another's. */
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
