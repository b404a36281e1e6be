import { createLogUpdate } from 'log-update'
import type { Progress } from '../timeline/progress.ts'
import { liveText, type Running } from './live-text.ts'

/** How often the times are brought up to date, ms. */
const tickMs = 250

/** The scenarios that run, at the lower end of a terminal, below whatever is printed. */
export class LiveList {
  readonly #running = new Map<string, Running>()
  // A cursor that was hidden would stay so when this process is killed.
  readonly #draw = createLogUpdate(process.stdout, { showCursor: true })
  readonly #ticks = setInterval(() => this.#show(), tickMs).unref()

  /** A scenario that runs from now on. */
  begin(id: string, name: string): void {
    this.#running.set(id, { name, since: performance.now() })
    this.#show()
  }

  /** What a scenario says about itself. One that is over says nothing more. */
  update(id: string, progress: Progress): void {
    const one = this.#running.get(id)
    if (one) one.progress = progress
  }

  end(id: string): void {
    this.#running.delete(id)
    this.#show()
  }

  /** Prints something above the list. */
  above(print: () => void): void {
    this.#draw.clear()
    print()
    this.#show()
  }

  /** Removes the list for good. */
  close(): void {
    clearInterval(this.#ticks)
    this.#running.clear()
    this.#draw.clear()
  }

  #show(): void {
    const { columns = 80, rows = 24 } = process.stdout
    if (this.#running.size === 0) this.#draw.clear()
    else this.#draw(liveText([...this.#running.values()], performance.now(), { columns, rows }))
  }
}
