import { type Counts, type CountTable, filesIn } from '../timeline/counts.ts'

/** One count of a table: its name, and its number. */
export interface CountRow {
  name: string
  of: (counts: Counts) => number
  unit?: 'bytes'
  /** It is a part of the row above. */
  isPart?: true
}

const rows: CountRow[] = [
  { name: 'tmux servers', of: ({ servers }) => servers },
  { name: 'tmux sessions', of: ({ sessions }) => sessions },
  { name: 'panes', of: ({ panes }) => panes },
  { name: 'claude processes', of: ({ claudes }) => claudes },
  { name: 'all processes', of: ({ processes }) => processes },
  { name: 'zombies', of: ({ zombies }) => zombies },
  { name: 'open descriptors', of: ({ descriptors }) => descriptors },
  { name: 'of files in the sandbox', of: ({ openFiles }) => openFiles, isPart: true },
  { name: 'listening sockets', of: ({ sockets }) => sockets },
  { name: 'pseudo-terminals', of: ({ ptys }) => ptys },
  { name: 'memory', of: ({ memory }) => memory, unit: 'bytes' },
  { name: 'files', of: filesIn },
]

/** Every count, and files by class. Classes that nobody has are left out. */
export function countRows({ baseline, peak, settled }: CountTable): CountRow[] {
  const moments = [baseline, peak, settled]
  const classes = [...new Set(moments.flatMap(({ files }) => Object.keys(files)))].toSorted()
  const files = classes.map(
    (name): CountRow => ({
      name,
      of: ({ files }) => files[name as keyof Counts['files']] ?? 0,
      isPart: true,
    }),
  )
  return [...rows, ...files]
}

/** A count as a text: whole, or in MB. */
export function countText({ unit }: CountRow, count: number): string {
  return unit === 'bytes' ? `${(count / 1e6).toFixed(0)} MB` : String(count)
}
