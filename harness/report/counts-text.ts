import { type Counts, type CountTable, filesIn } from '../timeline/counts.ts'

/**
 * The most important counts in one line: at the baseline, at the peak, settled.
 * @param kept how many of the files that settled a policy allows
 */
export function countsLine(table: CountTable, kept: number): string {
  const cells = countCells(table)
  const line = Object.keys(important).map((name, at) => `${name} ${cells[at]}`)
  return kept > 0 ? `${line.join(' · ')} (${kept} kept)` : line.join(' · ')
}

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

/** All counts as a table for a terminal. */
export function countsTable(table: CountTable): string[] {
  const all = [['', 'baseline', 'peak', 'settled'], ...countRows(table)]
  return all.map(([name = '', ...cells]) =>
    [name.padEnd(27), ...cells.map(cell => cell.padStart(9))].join('').trimEnd(),
  )
}
