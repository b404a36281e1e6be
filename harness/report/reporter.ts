import { stripVTControlCharacters, styleText } from 'node:util'
import type { Reporter, SerializedError, TestCase } from 'vitest/node'
import { oneLine, printableLines, printProblem } from '../terminal.ts'
import { dayOf, judge } from './known.ts'
import type { KnownLeak } from './known-leak.ts'
import { type ScenarioResult, scenarioResult } from './scenario-result.ts'
import { marks, notKeptText, scenarioText } from './scenario-text.ts'

interface Options {
  /** The name of the system that is tested, unless a test file starts another one. */
  system?: string
  /** Tests that a filter left out are not reported; those that skipped themselves are. */
  onlySkippedWithReason?: boolean
  /** All counts, and each finding with its own mechanism and command. */
  verbose?: boolean
  known?: readonly KnownLeak[]
}

/** Prints a line for each scenario as it ends, with its findings, and keeps the results for the report. */
export class ScenarioReporter implements Reporter {
  readonly results: ScenarioResult[] = []
  readonly errors: string[] = []
  /** From now on a test that is aborted has no verdict, and is not printed. */
  isInterrupted = false
  readonly #running = new Set<string>()
  readonly #live = process.stdout.isTTY && !process.env.CI
  readonly #onlySkippedWithReason: boolean
  readonly #verbose: boolean
  readonly #system: string
  readonly #known: readonly KnownLeak[]

  constructor({ system = '', onlySkippedWithReason = false, verbose = false, known = [] }: Options = {}) {
    this.#system = system
    this.#known = known
    this.#onlySkippedWithReason = onlySkippedWithReason
    this.#verbose = verbose
  }

  onTestCaseReady(test: TestCase): void {
    this.#running.add(test.fullName)
    this.#showProgress()
  }

  onTestCaseResult(test: TestCase): void {
    const result = judge(scenarioResult(test, this.#system), this.#known, dayOf(new Date()))
    this.#running.delete(test.fullName)
    if (result.verdict === 'skipped' && (this.isInterrupted || this.#isLeftOut(result))) return
    this.results.push(result)
    this.#print(marks[result.verdict], scenarioText(result, this.#verbose))
    if (result.notKept) printProblem(notKeptText(result))
    this.#showProgress()
  }

  onTestRunEnd(
    modules: ReadonlyArray<{ errors(): SerializedError[] }>,
    unhandled: ReadonlyArray<SerializedError>,
  ): void {
    const errors = [...modules.flatMap(module => module.errors()), ...unhandled]
    const messages = errors.map(({ message }) => message)
    // Ctrl-C reaches the workers too, and ends them regularly.
    this.errors.push(...messages.filter(text => !(this.isInterrupted && text.startsWith('[vitest-pool]'))))
    for (const message of this.errors) this.#print(styleText('red', '?'), stripVTControlCharacters(message))
  }

  #isLeftOut({ errors }: ScenarioResult): boolean {
    return this.#onlySkippedWithReason && errors.length === 0
  }

  /** Only the mark may have a colour: the text has names and errors from outside. */
  #print(mark: string, text: string): void {
    this.#clearProgress()
    process.stdout.write(`${mark} ${printableLines(text)}\n`)
  }

  /** One line that is overwritten while scenarios run; only on a terminal. */
  #showProgress(): void {
    if (!this.#live || this.#running.size === 0) return
    const line = `  … ${oneLine([...this.#running].join(', '))}`
    process.stdout.write(`\r${styleText('dim', line.slice(0, (process.stdout.columns ?? 80) - 1))}\x1b[K`)
  }

  #clearProgress(): void {
    if (this.#live) process.stdout.write('\r\x1b[K')
  }
}
