import type { Sandbox } from './sandbox.ts'

/** One whose engine has died would fail every test that gets it. */
function isAlive({ probe }: Sandbox): Promise<boolean> {
  return probe.hello().then(
    () => true,
    () => false,
  )
}

/** Sandboxes for tests that run side by side. A free one is reused, because starting another takes longer. */
export class SandboxPool implements AsyncDisposable {
  readonly #start: () => Promise<Sandbox>
  readonly #all: Sandbox[] = []
  readonly #free: Sandbox[] = []

  constructor(start: () => Promise<Sandbox>) {
    this.#start = start
  }

  async take(): Promise<Sandbox> {
    for (let free = this.#free.pop(); free; free = this.#free.pop()) if (await isAlive(free)) return free
    const sandbox = await this.#start()
    this.#all.push(sandbox)
    return sandbox
  }

  giveBack(sandbox: Sandbox): void {
    this.#free.push(sandbox)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map(sandbox => sandbox[Symbol.asyncDispose]()))
  }
}
