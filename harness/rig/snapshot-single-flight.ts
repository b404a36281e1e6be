import type { Reading, Snapshot } from '../snapshot/snapshot.ts'

/**
 * Takes snapshots one after another. Callers that ask while one is being taken share the next one, which begins after
 * all of them have asked: nobody gets a state that is older than the call.
 */
export class SnapshotSingleFlight {
  readonly #read: () => Promise<Reading>
  #current: Promise<unknown> = Promise.resolve()
  #next: Promise<Snapshot> | undefined
  readonly #taken: (snapshot: Snapshot) => void
  #last: Snapshot | undefined

  /** @param taken is told of every snapshot, before those who have asked for it */
  constructor(read: () => Promise<Reading>, taken: (snapshot: Snapshot) => void = () => {}) {
    this.#read = read
    this.#taken = taken
  }

  take(): Promise<Snapshot> {
    // A failed snapshot rejects for those who share it, and the next one is taken all the same.
    this.#next ??= this.#current.catch(() => {}).then(() => this.#begin())
    return this.#next
  }

  get last(): Snapshot | undefined {
    return this.#last
  }

  #begin(): Promise<Snapshot> {
    this.#next = undefined
    const at = performance.now()
    const taking = this.#read().then(reading => {
      this.#last = { ...reading, at }
      this.#taken(this.#last)
      return this.#last
    })
    this.#current = taking
    return taking
  }
}
