import { type Report, resultsOf } from './report.ts'
import type { ScenarioResult } from './scenario-result.ts'

/** A row for each shape and fault, and a column for each system: how many of the endings passed. */
export function catalogueTable(report: Report): string {
  const [head = [], ...rows] = catalogueRows(report)
  const last = rows.pop() ?? []
  const all = [head, ...rows, last.map(word => `**${word}**`)]
  const widths = head.map((_, at) => all.reduce((most, row) => Math.max(most, row[at]?.length ?? 0), 0))
  const line = (row: string[]) => `| ${row.map((word, at) => word.padEnd(widths[at] ?? 0)).join(' | ')} |`
  const [top = [], ...below] = all
  return [line(top), line(widths.map(width => '-'.repeat(width))), ...below.map(line)].join('\n')
}

/** The same as cells: the head, a row for each shape, and the sums. */
export function catalogueRows(report: Report): string[][] {
  const { systems } = report
  const head = ['shape', ...systems]
  const cells = systems.map(system => resultsOf(report, system))
  const ofShape = (shape: string) => cells.map(all => outcome(all.filter(cell => shapeOf(cell) === shape)))
  const rows = shapes(report.scenarios).map(shape => [shape, ...ofShape(shape)])
  return [head, ...rows, ['all', ...cells.map(outcome)]]
}

/** In the order of their files, and within a file in its own order. */
function shapes(cells: ScenarioResult[]): string[] {
  const byFile = cells.toSorted((one, other) => (one.file < other.file ? -1 : one.file > other.file ? 1 : 0))
  return [...new Set(byFile.map(shapeOf))]
}

/** A cell is named `<shape> × <ending>`. */
function shapeOf({ name }: ScenarioResult): string {
  return name.split(' × ')[0] ?? name
}

function outcome(cells: ScenarioResult[]): string {
  const count = (wanted: ScenarioResult['verdict']) =>
    cells.filter(({ verdict }) => verdict === wanted).length
  const [skipped, unsure, known] = [count('skipped'), count('inconclusive'), count('known')]
  return [
    `${count('pass')}/${cells.length - skipped}`,
    ...(known ? [`${known} known`] : []),
    ...(unsure ? [`${unsure} inconclusive`] : []),
    ...(skipped ? [`${skipped} skipped`] : []),
  ].join(', ')
}
