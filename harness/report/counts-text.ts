import { type Counts, type CountTable, filesIn } from '../timeline/counts.ts'
import { countRows, countText } from './count-rows.ts'

/**
 * The most important counts in one line: at the baseline, at the peak, settled.
 * @param kept how many of the files that settled a policy allows
 */
export function countsLine(table: CountTable, kept: number): string {
  const line = [
    row('sessions', table, ({ sessions }) => sessions),
    row('claude', table, ({ claudes }) => claudes),
    row('processes', table, ({ processes }) => processes),
    row('files', table, filesIn),
  ].join(' · ')
  return kept > 0 ? `${line} (${kept} kept)` : line
}

function row(name: string, { baseline, peak, settled }: CountTable, of: (counts: Counts) => number): string {
  return `${name} ${[baseline, peak, settled].map(of).join('→')}`
}

/** All counts as a table for a terminal. */
export function countsTable(table: CountTable): string[] {
  const moments = [table.baseline, table.peak, table.settled]
  const rows = countRows(table).map(one => [
    one.isPart ? `  ${one.name}` : one.name,
    ...moments.map(counts => countText(one, one.of(counts))),
  ])
  return [['', 'baseline', 'peak', 'settled'], ...rows].map(([name = '', ...cells]) =>
    [name.padEnd(27), ...cells.map(cell => cell.padStart(9))].join('').trimEnd(),
  )
}
