/** A wait that a call ends early. A call that comes while nobody waits counts for the next wait. */
export class Wakeup {
  #wasCalled = false
  #end: (() => void) | undefined

  call = (): void => {
    this.#wasCalled = true
    this.#end?.()
  }

  /** Waits for a call, but not longer than `ms`. Returns true when there was one. */
  async wait(ms: number): Promise<boolean> {
    if (!this.#wasCalled)
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, ms)
        this.#end = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    const wasCalled = this.#wasCalled
    this.#end = undefined
    this.#wasCalled = false
    return wasCalled
  }
}
