import { stripVTControlCharacters, styleText } from 'node:util'
import { oneLine } from '../terminal.ts'
import { countsLine, countsTable } from './counts-text.ts'
import { findingsSummary, findingsText } from './findings-text.ts'
import { knownTexts } from './known-texts.ts'
import { outcome } from './outcome.ts'
import type { ScenarioResult } from './scenario-result.ts'
import { inColumns } from './text.ts'

/** In front of the line of a result. Only the mark may have a colour. */
export const marks = {
  pass: styleText('green', '✓'),
  known: styleText('yellow', '~'),
  leak: styleText('red', '✗'),
  collateral: styleText('red', '✗'),
  inconclusive: styleText('yellow', '?'),
  skipped: styleText('dim', '-'),
}

/** What is printed of one scenario: a line, its counts, and what is wrong. `verbose`: all counts, and every finding by itself. */
export function scenarioText(result: ScenarioResult, verbose: boolean): string {
  const head = inColumns(outcome(result), oneLine(result.name))
  const kept = result.kept ? [`its files: ${result.kept}`] : []
  const details = [...countsOf(result, verbose), ...reasons(result, verbose), ...kept, ...notes(result)]
  return [head, ...indent(details)].join('\n')
}

/** Why it has its verdict. What is known is only counted. */
function reasons(result: ScenarioResult, verbose: boolean): string[] {
  const { verdict, verdicts, unmet, errors, notKnown = [] } = result
  const findings = verdicts.map(verbose ? findingsText : findingsSummary)
  if (verdict === 'known') return [...knownTexts(result).map(oneLine), ...(verbose ? findings : [])]
  const hasFindings = verdicts.some(({ result }) => result !== 'pass')
  if (!hasFindings) return [...notKnown, ...errors.map(stripVTControlCharacters)]
  return [...notKnown, ...unmet.map(stripVTControlCharacters), ...findings]
}

function countsOf({ verdicts }: ScenarioResult, verbose: boolean): string[] {
  const last = verdicts.at(-1)
  if (!last?.counts) return []
  const kept = last.kept.reduce((sum, { count }) => sum + count, 0)
  return verbose ? countsTable(last.counts) : [countsLine(last.counts, kept)]
}

export function notKeptText({ name, notKept }: ScenarioResult): string {
  return `The files of ${JSON.stringify(name)} could not be copied out of its sandbox (${notKept}): its verdict stands.`
}

function notes({ verdicts, engine, lostEngines = [] }: ScenarioResult): string[] {
  const lost = lostEngines.map(
    one => `the engine at ${oneLine(one)} stopped; measured again on ${oneLine(engine ?? 'another')}`,
  )
  return [...lost, ...verdicts.flatMap(({ notes }) => notes.map(note => `seen, not counted: ${note}`))]
}

function indent(texts: string[]): string[] {
  return texts
    .flatMap(text => text.split('\n'))
    .filter(Boolean)
    .map(line => `    ${line}`)
}
