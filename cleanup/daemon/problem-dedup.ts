import type { Log, LogLine } from '../log.ts'
import type { CleanUpReport } from '../reaper/report.ts'

/** Receives what a daemon does: its log, and whatever counts events and shows health. */
export interface Observer {
  log: Log
  cleaned(report: CleanUpReport): void
  /** A cleanup threw instead of returning a report. */
  failed(): void
  massDeath(): void
  /** Something is wrong, in a sentence; undefined when it is no longer. `what` names the thing. */
  degraded(what: string, why: string | undefined): void
}

/** Deduplicates problems: the same problem of the same thing is logged once, however often it is found again. */
export class ProblemDedup {
  readonly #observer: Observer
  /** The last problem, by the name of what has it. */
  readonly #problems = new Map<string, string>()

  constructor(observer: Observer) {
    this.#observer = observer
  }

  has(name: string): boolean {
    return this.#problems.has(name)
  }

  /** Logs the line unless this very problem was the last one reported under the name. */
  report(name: string, problem: string, line: LogLine): void {
    if (this.#problems.get(name) === problem) return
    this.#problems.set(name, problem)
    this.#observer.log(line)
    this.#observer.degraded(name, problem)
  }

  /** Logs the line if there was a problem under the name. */
  resolve(name: string, line?: LogLine): void {
    if (!this.#problems.delete(name)) return
    if (line) this.#observer.log(line)
    this.#observer.degraded(name, undefined)
  }
}
