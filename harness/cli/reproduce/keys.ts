const { stdin } = process

/** `q`, Ctrl-C and Ctrl-D. */
export const isLeaving = (key: string): boolean => ['q', '\x03', '\x04'].includes(key)

/** Keys that are pressed, one after another. While something else has the terminal, it has the keys. */
export class Keys {
  readonly #pressed: string[] = []
  readonly #interrupted = Promise.withResolvers<void>()
  readonly #left = Promise.withResolvers<void>()
  #wake = Promise.withResolvers<void>()

  /** Resolves with Ctrl-C, whatever is done at that moment. */
  get interrupted(): Promise<void> {
    return this.#interrupted.promise
  }

  /** Resolves with any key that leaves. */
  get left(): Promise<void> {
    return this.#left.promise
  }

  start(): void {
    setRaw(true)
    stdin.on('data', this.#take).on('end', this.#end).resume()
  }

  stop(): void {
    stdin.off('data', this.#take).off('end', this.#end).pause()
  }

  /** The next one; undefined when none is pressed in that time; `end` when the terminal is gone. */
  async next(ms: number): Promise<string | undefined> {
    if (this.#pressed.length === 0) {
      const timer = setTimeout(this.#wake.resolve, ms)
      await this.#wake.promise
      clearTimeout(timer)
      this.#wake = Promise.withResolvers()
    }
    return this.#pressed.shift()
  }

  readonly #take = (bytes: Buffer): void => {
    const text = bytes.toString()
    // An arrow or a function key is one key.
    for (const key of text.startsWith('\x1b') ? [text] : text) this.#add(key)
  }

  readonly #end = (): void => this.#add('end')

  #add(key: string): void {
    if (key === '\x03') this.#interrupted.resolve()
    if (isLeaving(key)) this.#left.resolve()
    this.#pressed.push(key)
    this.#wake.resolve()
  }
}

/** Whether each key is read by itself. A terminal that was closed has no modes. */
export function setRaw(isRaw: boolean): void {
  try {
    if (stdin.isTTY) stdin.setRawMode(isRaw)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error
  }
}
