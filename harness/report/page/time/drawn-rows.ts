import type { CountTable } from '../../../timeline/counts.ts'
import { type CountRow, countRows } from '../../count-rows.ts'

/** The counts that have a curve; all others are in a table. */
const drawn = new Set([
  'tmux sessions',
  'claude processes',
  'all processes',
  'open descriptors',
  'listening sockets',
  'pseudo-terminals',
  'memory',
  'files',
])

export function drawnRows(table: CountTable): CountRow[] {
  return countRows(table).filter(({ name, isPart }) => drawn.has(name) && !isPart)
}
