/** One entry of the journal in which the fake claude records what it does; docs/claude.md#the-journal lists them. */
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
  const lines = text.split('\n').slice(0, -1) // the rest is still being written
  return lines.map(line => JSON.parse(line))
}
