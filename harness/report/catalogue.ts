import type { ChosenSandbox } from '../sandbox/start.ts'
import { exitCodes } from './exit-codes.ts'
import type { Report } from './report.ts'
import type { ScenarioResult } from './scenario-result.ts'

/** The machine-readable report of the catalogue (`--json`): one run for each system. */
export interface CatalogueReport {
  schemaVersion: 1
  startedAt: string
  durationMs: number
  sandbox: ChosenSandbox
  exitCode: number
  runs: Report[]
  /** Systems x shapes, as Markdown. */
  table: string
}

/** A leak that one run found is certain, even if another run could not measure. Only the last run can be interrupted. */
export function catalogueExitCode(runs: Report[]): number {
  const codes = runs.map(run => run.exitCode)
  if (runs.at(-1)?.interrupted) return codes.at(-1) ?? exitCodes.inconclusive
  if (codes.includes(exitCodes.found)) return exitCodes.found
  return codes.find(code => code !== exitCodes.passed) ?? exitCodes.passed
}

/** A row for each shape and fault, and a column for each system: how many of the endings passed. */
export function catalogueTable(runs: Report[]): string {
  const head = ['shape', ...runs.map(({ system }) => system)]
  const rows = shapes(runs).map(shape => [shape, ...runs.map(run => outcome(cellsOf(run, shape)))])
  const sums = ['**all**', ...runs.map(run => `**${outcome(run.scenarios)}**`)]
  const widths = head.map((_, at) => Math.max(...[head, ...rows, sums].map(row => row[at]?.length ?? 0)))
  const line = (row: string[]) => `| ${row.map((word, at) => word.padEnd(widths[at] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map(width => '-'.repeat(width))), ...rows.map(line), line(sums)].join('\n')
}

/** In the order of their files, and within a file in its own order. */
function shapes(runs: Report[]): string[] {
  const cells = runs.flatMap(({ scenarios }) => scenarios)
  const byFile = cells.toSorted((one, other) => (one.file < other.file ? -1 : one.file > other.file ? 1 : 0))
  return [...new Set(byFile.map(shapeOf))]
}

/** A cell is named `<shape> × <ending>`. */
function shapeOf({ name }: ScenarioResult): string {
  return name.split(' × ')[0] ?? name
}

function cellsOf({ scenarios }: Report, shape: string): ScenarioResult[] {
  return scenarios.filter(cell => shapeOf(cell) === shape)
}

function outcome(cells: ScenarioResult[]): string {
  const count = (wanted: ScenarioResult['verdict']) =>
    cells.filter(({ verdict }) => verdict === wanted).length
  const [skipped, unsure] = [count('skipped'), count('inconclusive')]
  return [
    `${count('pass')}/${cells.length - skipped}`,
    ...(unsure ? [`${unsure} inconclusive`] : []),
    ...(skipped ? [`${skipped} skipped`] : []),
  ].join(', ')
}
