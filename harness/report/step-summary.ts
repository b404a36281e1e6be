import { stripVTControlCharacters } from 'node:util'
import { catalogueRows } from './catalogue.ts'
import { countCells } from './counts-text.ts'
import { findingsSummary } from './findings-text.ts'
import { code, codeBlock, table } from './markdown.ts'
import { outcome } from './outcome.ts'
import type { Report } from './report.ts'
import { rerunCommand } from './rerun.ts'
import type { ScenarioResult } from './scenario-result.ts'
import { verdictCounts } from './summary.ts'
import { seconds } from './text.ts'

/** GitHub drops the whole summary of a step that is longer than 1 MiB; all steps of a job share what it shows. */
const mostBytes = 500_000

/** Above so many scenarios, a table has only those that did not pass. */
const mostRows = 40

const signs: Record<ScenarioResult['verdict'], string> = {
  pass: '✅',
  known: '🟡',
  leak: '❌',
  collateral: '❌',
  inconclusive: '❓',
  skipped: '➖',
}

/** A report as Markdown, for the summary of a CI job. */
export function stepSummary(report: Report): string {
  const { run, scenarios, fixed = [], errors, sandbox, durationMs, exitCode } = report
  const systems = report.systems.map(code).join(' and ')
  const parts = [
    `## leakrig: ${verdictCounts(scenarios)}`,
    `System ${systems || 'none'}, sandbox ${sandbox.kind}, ${seconds(durationMs)}, exit code ${exitCode}.`,
    ...(run.command === 'catalogue' ? [table(catalogueRows(report).map(row => row.map(cell)))] : []),
    ...outcomes(scenarios),
    ...sentences('Errors outside of any scenario', errors),
    ...sentences('Known leaks that are there no more; take them out with --update-known', fixed),
    ...scenarios.filter(isRed).map(result => details(run, result)),
  ]
  return `${withinLimit(parts).join('\n\n')}\n`
}

const isRed = ({ verdict }: ScenarioResult): boolean =>
  verdict === 'leak' || verdict === 'collateral' || verdict === 'inconclusive'

/** Numbers and words of ours stay as they are. */
const cell = (text: string): string => (/^[\w/ ,]*$/.test(text) ? text : code(text))

/** The counts of each scenario at the baseline, at the peak and settled. */
function outcomes(scenarios: readonly ScenarioResult[]): string[] {
  const shown =
    scenarios.length > mostRows ? scenarios.filter(({ verdict }) => verdict !== 'pass') : scenarios
  if (shown.length === 0) return []
  const left = scenarios.length - shown.length
  const rows = shown.map(result => {
    const counts = result.verdicts.at(-1)?.counts
    return [
      `${signs[result.verdict]} ${outcome(result)}`,
      code(result.name),
      ...(counts ? countCells(counts) : []),
    ]
  })
  return [
    table([['outcome', 'scenario', 'sessions', 'claude', 'processes', 'files'], ...rows]),
    `Each count is that at the baseline, at the peak, and when everything had settled.${left > 0 ? ` ${left} that passed are left out.` : ''}`,
  ]
}

function sentences(title: string, texts: readonly string[]): string[] {
  return texts.length === 0 ? [] : [`### ${title}`, codeBlock(texts.map(stripVTControlCharacters).join('\n'))]
}

function details(run: Report['run'], result: ScenarioResult): string {
  const { notKnown = [], unmet, verdicts, errors } = result
  const findings = verdicts.map(findingsSummary).filter(Boolean)
  const reasons = findings.length > 0 || unmet.length > 0 ? [...notKnown, ...unmet, ...findings] : errors
  return [
    `### ${signs[result.verdict]} ${code(result.name)}`,
    codeBlock(stripVTControlCharacters(reasons.join('\n'))),
    `Run it again: ${code(rerunCommand(run, result))}`,
  ].join('\n\n')
}

/** As many parts as fit. */
function withinLimit(parts: string[]): string[] {
  let bytes = 0
  const fitting = parts.filter(part => {
    bytes += Buffer.byteLength(part) + 2
    return bytes <= mostBytes
  })
  const left = parts.length - fitting.length
  return left === 0
    ? parts
    : [...fitting, `${left} parts more are in the report, and too long for this page.`]
}
