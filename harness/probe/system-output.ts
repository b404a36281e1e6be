/** The most that is kept, in characters: the last part. */
const most = 64 * 1024

/** What the system under test wrote, of all its programs and commands, in the order in which it was read. */
export class SystemOutput {
  #text = ''
  readonly #running = new Map<object, () => string>()

  add(text: string): void {
    this.#text = `${this.#text}${text}`.slice(-most)
  }

  /** What something that still runs has written so far is read when it is asked for. */
  addRunning(key: object, read: () => string): void {
    this.#running.set(key, read)
  }

  removeRunning(key: object): void {
    this.#running.delete(key)
  }

  get text(): string {
    return [this.#text, ...[...this.#running.values()].map(read => read())].join('').slice(-most)
  }
}
