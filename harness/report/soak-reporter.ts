import type { TestAnnotation } from 'vitest'
import type { Reporter, SerializedError, TestCase } from 'vitest/node'
import type { SoakRound } from '../soak/round.ts'
import { print } from '../terminal.ts'
import { type ScenarioResult, scenarioResult } from './scenario-result.ts'
import { roundText } from './soak-text.ts'

/** Prints a line for each round of a soak as it ends, and keeps the rounds: an interrupted soak has its slopes until then. */
export class SoakReporter implements Reporter {
  readonly rounds: SoakRound[] = []
  readonly errors: string[] = []
  /** How the test ended; undefined where it was interrupted. */
  result: ScenarioResult | undefined
  #isInterrupted = false
  readonly #system: string

  constructor(system: string) {
    this.#system = system
  }

  /** From now on what ends is aborted, and says nothing. */
  interrupt(): void {
    this.#isInterrupted = true
  }

  onTestCaseAnnotate(_: TestCase, { type, message }: TestAnnotation): void {
    if (type !== 'soak') return
    const round: SoakRound = JSON.parse(message)
    this.rounds.push(round)
    print(roundText(round, process.stdout.columns))
  }

  onTestCaseResult(test: TestCase): void {
    if (this.#isInterrupted) return
    const result = scenarioResult(test, this.#system)
    // It has no verdict of its own: that is in the rounds.
    this.result = test.result().state === 'passed' ? { ...result, errors: [] } : result
  }

  onTestRunEnd(
    modules: ReadonlyArray<{ errors(): SerializedError[] }>,
    unhandled: ReadonlyArray<SerializedError>,
  ): void {
    if (this.#isInterrupted) return
    const errors = [...modules.flatMap(module => module.errors()), ...unhandled]
    this.errors.push(...errors.map(({ message }) => message))
  }
}
