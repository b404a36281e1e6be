import { type Counts, type CountTable, filesIn } from '../timeline/counts.ts'

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

type Row = [name: string, of: (counts: Counts) => number | string]

const rows: Row[] = [
  ['tmux servers', ({ servers }) => servers],
  ['tmux sessions', ({ sessions }) => sessions],
  ['panes', ({ panes }) => panes],
  ['claude processes', ({ claudes }) => claudes],
  ['all processes', ({ processes }) => processes],
  ['zombies', ({ zombies }) => zombies],
  ['open descriptors', ({ descriptors }) => descriptors],
  ['  of files in the sandbox', ({ openFiles }) => openFiles],
  ['listening sockets', ({ sockets }) => sockets],
  ['pseudo-terminals', ({ ptys }) => ptys],
  ['memory', ({ memory }) => `${(memory / 1e6).toFixed(0)} MB`],
  ['files', filesIn],
]

/** Every count as a row of cells: its name, at the baseline, at the peak, settled. Classes of files that nobody has are left out. */
function countRows(table: CountTable): string[][] {
  const moments = [table.baseline, table.peak, table.settled]
  const classes = [...new Set(moments.flatMap(({ files }) => Object.keys(files)))].toSorted()
  const files = classes.map(
    (name): Row => [`  ${name}`, counts => counts.files[name as keyof Counts['files']] ?? 0],
  )
  return [...rows, ...files].map(([name, of]) => [name, ...moments.map(counts => String(of(counts)))])
}

/**
 * All counts as a table for a terminal.
 * @param last what the last column is called
 */
export function countsTable(table: CountTable, last = 'settled'): string[] {
  const all = [['', 'baseline', 'peak', last], ...countRows(table)]
  return all.map(([name = '', ...cells]) =>
    [name.padEnd(27), ...cells.map(cell => cell.padStart(9))].join('').trimEnd(),
  )
}
