import { stripVTControlCharacters, styleText } from 'node:util'
import type { Reporter, SerializedError, TestCase } from 'vitest/node'
import { oneLine, printableLines, printProblem } from '../terminal.ts'
import { countsLine, countsTable } from './counts-text.ts'
import { findingsSummary, findingsText } from './findings-text.ts'
import { type ScenarioResult, scenarioResult } from './scenario-result.ts'
import { inColumns, seconds } from './text.ts'

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

  /**
   * `system`: the name of the system that is tested, unless a test file starts another one.
   * `onlySkippedWithReason`: tests that a filter left out are not reported; those that skipped themselves are.
   * `verbose`: all counts, and each finding with its own mechanism and command.
   */
  constructor({ system = '', onlySkippedWithReason = false, verbose = false } = {}) {
    this.#system = system
    this.#onlySkippedWithReason = onlySkippedWithReason
    this.#verbose = verbose
  }

  onTestCaseReady(test: TestCase): void {
    this.#running.add(test.fullName)
    this.#showProgress()
  }

  onTestCaseResult(test: TestCase): void {
    const result = scenarioResult(test, this.#system)
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

const marks = {
  pass: styleText('green', '✓'),
  leak: styleText('red', '✗'),
  collateral: styleText('red', '✗'),
  inconclusive: styleText('yellow', '?'),
  skipped: styleText('dim', '-'),
}

function scenarioText(result: ScenarioResult, verbose: boolean): string {
  const head = inColumns(outcome(result), oneLine(result.name))
  const hasFindings = result.verdicts.some(({ result: found }) => found !== 'pass')
  const details = hasFindings
    ? [
        ...result.unmet.map(stripVTControlCharacters),
        ...result.verdicts.map(verbose ? findingsText : findingsSummary),
      ]
    : result.errors.map(stripVTControlCharacters)
  const kept = result.kept ? [`its files: ${result.kept}`] : []
  return [head, ...indent([...countsOf(result, verbose), ...details, ...kept, ...notes(result)])].join('\n')
}

function countsOf({ verdicts }: ScenarioResult, verbose: boolean): string[] {
  const last = verdicts.at(-1)
  if (!last?.counts) return []
  const kept = last.kept.reduce((sum, { count }) => sum + count, 0)
  return verbose ? countsTable(last.counts) : [countsLine(last.counts, kept)]
}

function notKeptText({ name, notKept }: ScenarioResult): string {
  return `The files of ${JSON.stringify(name)} could not be copied out of its sandbox (${notKept}): its verdict stands.`
}

function outcome({ verdict, verdicts, errors }: ScenarioResult): string {
  const last = verdicts.at(-1)
  if (verdict === 'pass') return `back in ${seconds(last?.msToBaseline ?? 0)}`
  if (verdict === 'skipped' || verdict === 'inconclusive') return verdict
  const leaks = last?.leaks.length ?? 0
  const collateral = last?.collateral.length ?? 0
  const found = [leaks && `${leaks} leaked`, collateral && `${collateral} collateral`].filter(Boolean)
  return found.length > 0 ? found.join(', ') : `expectations not met: ${errors.length}`
}

function notes({ verdicts }: ScenarioResult): string[] {
  return verdicts.flatMap(({ notes }) => notes.map(note => `seen, not counted: ${note}`))
}

function indent(texts: string[]): string[] {
  return texts
    .flatMap(text => text.split('\n'))
    .filter(Boolean)
    .map(line => `    ${line}`)
}
