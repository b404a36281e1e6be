/** One entry of fake Claude's own account of what it did; fake-claude/README.md describes them. */
export interface JournalEntry {
  /** ms since the epoch */
  t: number
  what: string
  uuid?: string
  tool?: string
  arguments?: Record<string, unknown>
  [field: string]: unknown
}

export function readJournal(text: string): JournalEntry[] {
  const lines = text.split('\n').slice(0, -1) // what follows the last newline is being written just now
  return lines.map(line => JSON.parse(line))
}
