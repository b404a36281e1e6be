import type { Reading, Snapshot } from '../snapshot/snapshot.ts'

/**
 * Takes snapshots one after another. Ten who ask while one is being taken share the next: it begins after all of
 * them have asked, so that none sees a state older than its question.
 */
export class Lookout {
  readonly #take: () => Promise<Reading>
  #current: Promise<unknown> = Promise.resolve()
  #next: Promise<Snapshot> | undefined
  #last: Snapshot | undefined

  constructor(take: () => Promise<Reading>) {
    this.#take = take
  }

  look(): Promise<Snapshot> {
    // A look that failed is told to those who asked for it, and does not keep others from looking.
    this.#next ??= this.#current.catch(() => {}).then(() => this.#begin())
    return this.#next
  }

  get last(): Snapshot | undefined {
    return this.#last
  }

  #begin(): Promise<Snapshot> {
    this.#next = undefined
    const at = performance.now()
    const taking = this.#take().then(reading => {
      this.#last = { ...reading, at }
      return this.#last
    })
    this.#current = taking
    return taking
  }
}
