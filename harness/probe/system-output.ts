/** The most that is kept, in characters: the last part. */
const most = 64 * 1024

/** What the system under test wrote, of all its programs and commands, in the order in which it was read. */
export class SystemOutput {
  #text = ''

  add(text: string): void {
    this.#text = `${this.#text}${text}`.slice(-most)
  }

  get text(): string {
    return this.#text
  }
}
