import { appendFileSync } from 'node:fs'

/**
 * What the fake tells the rig about itself; the real claude has nothing like it. README.md lists the entries. Given an
 * array: an entry for each, in one write.
 */
export type Note = (what: string, fields?: Fields | Fields[]) => void

type Fields = Record<string, unknown>

// Open, append, close for each entry: a rig that counts descriptors must not find one of the journal's.
export function openJournal(path: string | undefined): Note {
  if (path === undefined) return () => {}
  appendFileSync(path, '')
  return (what, fields = {}) => {
    const entries = [fields].flat().map(one => `${JSON.stringify({ t: Date.now(), what, ...one })}\n`)
    try {
      appendFileSync(path, entries.join(''))
    } catch {
      // The rig took its folder away while this claude still ran. There is nobody left to tell.
    }
  }
}
