import { stripVTControlCharacters } from 'node:util'
import junit, { type Builder, type TestSuite } from 'junit-report-builder'
import { oneLine, printableLines } from '../terminal.ts'
import { exitCodes } from './exit-codes.ts'
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
export function junitXml(report: Report): string {
  const { scenarios, startedAt } = report
  const builder = rootBuilder.newBuilder().name('leakrig')
  for (const [name, results] of Map.groupBy(scenarios, ({ system, file }) => `${system}: ${file}`)) {
    const suite = builder.testSuite().name(oneLine(name)).timestamp(startedAt)
    suite.time(results.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000)
    for (const result of results) addCase(suite, result)
  }
  const problems = problemsOf(report)
  if (problems.length === 0) return builder.build()
  const suite = builder.testSuite().name('leakrig')
  for (const [name, text] of problems) suite.testCase().className('leakrig').name(name).error(plain(text))
  return builder.build()
}

/** What is wrong beside the scenarios, by a name. A run that did not pass always has something that is red. */
function problemsOf({ scenarios, fixed = [], errors, interrupted, exitCode }: Report): [string, string][] {
  const problems: [string, string][] = [
    ...errors.map((text): [string, string] => ['an error outside of any scenario', text]),
    ...fixed.map((text): [string, string] => ['a known leak that is there no more', text]),
  ]
  if (interrupted)
    problems.push([
      'an interrupted run',
      `${interrupted} interrupted the run: scenarios that had not ended are missing.`,
    ])
  const isRed = problems.length > 0 || scenarios.some(({ verdict }) => !isGreen.has(verdict))
  if (!isRed && exitCode !== exitCodes.passed)
    problems.push(['a run that did not pass', `Its exit code is ${exitCode}, and no scenario says why.`])
  return problems
}

const isGreen: ReadonlySet<string> = new Set(['pass', 'known', 'skipped'])

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

/** The builder splits only the first end of a CDATA section. */
const plain = (text: string): string =>
  printableLines(stripVTControlCharacters(text)).replaceAll(']]>', ']] >')
