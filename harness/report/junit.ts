import { stripVTControlCharacters } from 'node:util'
import junit, { type Builder, type TestSuite } from 'junit-report-builder'
import { oneLine, printableLines } from '../terminal.ts'
import { outcome } from './outcome.ts'
import type { Report } from './report.ts'
import type { ScenarioResult } from './scenario-result.ts'
import { scenarioText } from './scenario-text.ts'

/** Its types name a default export, and what Node imports is the builder itself. */
const rootBuilder = junit as unknown as Builder

/**
 * A report as JUnit XML: a leak and collateral are failures, what could not be measured is an error, and what is known is a
 * pass that says what is known. Vitest's own reporter can only tell a test that failed from one that did not.
 */
export function junitXml({ scenarios, fixed = [], errors, startedAt }: Report): string {
  const builder = rootBuilder.newBuilder().name('leakrig')
  for (const [name, results] of Map.groupBy(scenarios, ({ system, file }) => `${system}: ${file}`)) {
    const suite = builder.testSuite().name(oneLine(name)).timestamp(startedAt)
    suite.time(results.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000)
    for (const result of results) addCase(suite, result)
  }
  const problems = [
    ...errors.map(text => ['an error outside of any scenario', text] as const),
    ...fixed.map(text => ['a known leak that is there no more', text] as const),
  ]
  if (problems.length === 0) return builder.build()
  const suite = builder.testSuite().name('leakrig')
  for (const [name, text] of problems) suite.testCase().className('leakrig').name(name).error(plain(text))
  return builder.build()
}

function addCase(suite: TestSuite, result: ScenarioResult): void {
  const { file, name, durationMs, verdict, errors } = result
  const one = suite
    .testCase()
    .className(oneLine(file))
    .name(oneLine(name))
    .time(durationMs / 1000)
  if (verdict === 'skipped') one.skipped().standardOutput(plain(errors.join('\n')))
  else if (verdict === 'inconclusive') one.error(plain(errors[0] ?? verdict), verdict, details(result))
  else if (verdict === 'pass') return
  else if (verdict === 'known') one.standardOutput(details(result))
  else one.failure(outcome(result), verdict).stacktrace(details(result))
}

const details = (result: ScenarioResult): string => plain(scenarioText(result, false))

const plain = (text: string): string => printableLines(stripVTControlCharacters(text))
