import { appendFileSync } from 'node:fs'

/**
 * Records in the journal what the fake does, for the rig. The real claude has no journal. docs/claude.md#the-journal lists
 * the entries. An array makes one entry for each element, in one write.
 */
export type Note = (what: string, fields?: Fields | Fields[]) => void

type Fields = Record<string, unknown>

/** A journal whose path is known only later: what was noted before is written then. */
export class LateJournal {
  #before: Fields[] = []
  #note: Note | undefined

  readonly note: Note = (what, fields = {}) => {
    if (this.#note) this.#note(what, fields)
    else this.#before.push(...[fields].flat().map(one => ({ t: Date.now(), what, ...one })))
  }

  open(path: string): void {
    this.#note = openJournal(path)
    for (const entry of this.#before) this.#note(String(entry.what), entry)
    this.#before = []
  }
}

// Opens and closes the file for each entry, because the rig counts open descriptors.
export function openJournal(path: string | undefined): Note {
  if (path === undefined) return () => {}
  appendFileSync(path, '')
  return (what, fields = {}) => {
    const entries = [fields].flat().map(one => `${JSON.stringify({ t: Date.now(), what, ...one })}\n`)
    try {
      appendFileSync(path, entries.join(''))
    } catch {
      // The rig has removed the journal's folder while this claude still ran.
    }
  }
}
