import { type Counts, type CountTable, filesIn } from '../timeline/counts.ts'
import { countRows, countText } from './count-rows.ts'

/**
 * The most important counts in one line: at the baseline, at the peak, settled.
 * @param kept how many of the files that settled a policy allows
 */
export function countsLine(table: CountTable, kept: number): string {
  const cells = countCells(table)
  const line = Object.keys(important).map((name, at) => `${name} ${cells[at]}`)
  return `${line.join(' · ')}${keptText(kept)}`
}

/** Beside a number of files: how many of them a policy allows. */
export const keptText = (kept: number): string => (kept > 0 ? ` (${kept} kept)` : '')

const important: Record<string, (counts: Counts) => number> = {
  sessions: ({ sessions }) => sessions,
  claude: ({ claudes }) => claudes,
  processes: ({ processes }) => processes,
  files: filesIn,
}

/** The same counts without their names: sessions, claude processes, all processes, files. */
export function countCells({ baseline, peak, settled }: CountTable): string[] {
  return Object.values(important).map(of => [baseline, peak, settled].map(of).join('→'))
}

/**
 * All counts as a table for a terminal.
 * @param last what the last column is called
 * @param kept how many of the files in it a policy allows
 */
export function countsTable(table: CountTable, last = 'settled', kept = 0): string[] {
  const moments = [table.baseline, table.peak, table.settled]
  const rows = countRows(table).map(one => [
    one.isPart ? `  ${one.name}` : one.name,
    ...moments.map(counts => countText(one, one.of(counts))),
  ])
  return [['', 'baseline', 'peak', last], ...rows].map(([name = '', ...cells]) => {
    const line = [name.padEnd(27), ...cells.map(cell => cell.padStart(9))].join('').trimEnd()
    return name === 'files' ? `${line}${keptText(kept)}` : line
  })
}
