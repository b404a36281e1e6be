import { appendFileSync } from 'node:fs'

/** What the fake tells the rig about itself; the real claude has nothing like it. README.md lists the entries. */
export type Note = (what: string, fields?: Record<string, unknown>) => void

// Open, append, close for each entry: a rig that counts descriptors must not find one of the journal's.
export function openJournal(path: string | undefined): Note {
  if (path === undefined) return () => {}
  appendFileSync(path, '')
  return (what, fields = {}) => {
    const entry = `${JSON.stringify({ t: Date.now(), what, ...fields })}\n`
    try {
      appendFileSync(path, entry)
    } catch {
      // The rig took its folder away while this claude still ran. There is nobody left to tell.
    }
  }
}
