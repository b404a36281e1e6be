/**
 * How many agents are cleaned up at once. Agents of one registry share its writes, each of which parses all of it. A larger
 * number would leave more cleanups unfinished at a stop.
 */
export const CLEANED_AT_ONCE = 256

/**
 * Limits how much work runs at once; the rest waits in the order of arrival. So memory does not grow with the number of agents
 * that ended together, and a stop leaves few cleanups unfinished.
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
      // The slot passes directly to the next in the queue, so that a newcomer cannot overtake it.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free += 1
    }
  }
}
