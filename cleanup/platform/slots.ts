/**
 * How many agents are cleaned up at once: those of one registry share its writes, each of which parses all of it, and with
 * more a stop would find more of them in the middle.
 */
export const CLEANED_AT_ONCE = 256

/**
 * Lets so many pieces of work be under way at once; who comes later waits for a turn, first come, first served. So ten
 * thousand agents that ended together are cleaned up one after the other: memory does not grow with their number, and a
 * stop finds few of them in the middle.
 */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      // Handed on, and not free in between: somebody who comes just now is not to be faster than those who wait.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free += 1
    }
  }
}
