import { stripVTControlCharacters, styleText } from 'node:util'
import type { TestArtifact } from 'vitest'
import type { Reporter, SerializedError, TestCase } from 'vitest/node'
import { printableLines, printProblem } from '../terminal.ts'
import { progressType } from '../timeline/progress.ts'
import { dayOf, judge } from './known.ts'
import type { KnownLeak } from './known-leak.ts'
import { LiveList } from './live-list.ts'
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

/** True on a terminal of a person, on which lines can be drawn again. */
export const isWatched = (): boolean => process.stdout.isTTY && !process.env.CI && process.env.TERM !== 'dumb'

/** Prints a line for each scenario as it ends, with its findings, and keeps the results for the report. */
export class ScenarioReporter implements Reporter {
  readonly results: ScenarioResult[] = []
  readonly errors: string[] = []
  /** From now on a test that is aborted has no verdict, and is not printed. */
  isInterrupted = false
  readonly #list = isWatched() ? new LiveList() : undefined
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
    this.#list?.begin(test.id, test.fullName)
  }

  onTestCaseArtifactRecord(test: TestCase, artifact: TestArtifact): void {
    if (artifact.type === progressType) this.#list?.update(test.id, artifact.progress)
  }

  onTestCaseResult(test: TestCase): void {
    const result = judge(scenarioResult(test, this.#system), this.#known, dayOf(new Date()))
    this.#list?.end(test.id)
    if (result.verdict === 'skipped' && (this.isInterrupted || this.#isLeftOut(result))) return
    this.results.push(result)
    this.#print(marks[result.verdict], scenarioText(result, this.#verbose))
    if (result.notKept) this.#above(() => printProblem(notKeptText(result)))
  }

  onTestRunEnd(
    modules: ReadonlyArray<{ errors(): SerializedError[] }>,
    unhandled: ReadonlyArray<SerializedError>,
  ): void {
    this.#list?.close()
    const errors = [...modules.flatMap(module => module.errors()), ...unhandled]
    const messages = errors.map(({ message }) => message)
    // Ctrl-C reaches the workers too, and ends them regularly.
    this.errors.push(...messages.filter(text => !(this.isInterrupted && text.startsWith('[vitest-pool]'))))
    for (const message of this.errors) this.#print(styleText('red', '?'), stripVTControlCharacters(message))
  }

  /** The run was stopped. */
  interrupt(): void {
    this.isInterrupted = true
    this.#list?.close()
  }

  #isLeftOut({ errors }: ScenarioResult): boolean {
    return this.#onlySkippedWithReason && errors.length === 0
  }

  #above(print: () => void): void {
    if (this.#list) this.#list.above(print)
    else print()
  }

  /** Only the mark may have a colour: the text has names and errors from outside. */
  #print(mark: string, text: string): void {
    this.#above(() => process.stdout.write(`${mark} ${printableLines(text)}\n`))
  }
}
