/** A wait that ends early when somebody calls: calls that come while nobody waits are kept for the next wait. */
export class Wakeup {
  #called = false
  #end: (() => void) | undefined

  call = (): void => {
    this.#called = true
    this.#end?.()
  }

  /** Waits for a call, but not longer than `ms`. Returns true when somebody called. */
  async wait(ms: number): Promise<boolean> {
    if (!this.#called)
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, ms)
        this.#end = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    const called = this.#called
    this.#end = undefined
    this.#called = false
    return called
  }
}
