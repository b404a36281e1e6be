/**
 * Things that are disposed of together, the last one first: `DisposableStack` and `AsyncDisposableStack`, which Node 22
 * lacks. When disposing of one fails, the others are still disposed of, and the last error is thrown.
 */
export class Held implements Disposable {
  readonly #all: Disposable[] = []

  use<T extends Disposable>(one: T): T {
    this.#all.push(one)
    return one
  }

  [Symbol.dispose](): void {
    const last = this.#all.pop()
    if (!last) return
    try {
      last[Symbol.dispose]()
    } finally {
      this[Symbol.dispose]()
    }
  }
}

/** The same for what takes time to be disposed of. */
export class AsyncHeld implements AsyncDisposable {
  #all: (AsyncDisposable | Disposable)[] = []

  use<T extends AsyncDisposable | Disposable>(one: T): T {
    this.#all.push(one)
    return one
  }

  defer(end: () => void): void {
    this.#all.push({ [Symbol.dispose]: end })
  }

  /** Gives everything to another one, so that disposing of this one does nothing. */
  move(): AsyncHeld {
    const other = new AsyncHeld()
    other.#all = this.#all.splice(0)
    return other
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const last = this.#all.pop()
    if (!last) return
    try {
      if (Symbol.asyncDispose in last) await last[Symbol.asyncDispose]()
      else last[Symbol.dispose]()
    } finally {
      await this[Symbol.asyncDispose]()
    }
  }
}
