import fs from 'node:fs'
import { systemCode } from '../errors.ts'

/** The line that marks a file as written by leakrig. A file without it is somebody else's work. */
export const HEADER = 'Written by "leakrig service install"; "leakrig service uninstall" removes it.'

/** What is at the path of a service's file. */
export type ManagedFile =
  | { is: 'absent' }
  | { is: 'managed'; text: string }
  /** `what` for a sentence: "a symbolic link", "a file without leakrig's header line". */
  | { is: 'foreign'; what: string }

/** Follows no link: `systemctl mask` links the unit to /dev/null, and that decision must be respected. Throws nothing. */
export function readManagedFile(file: string): ManagedFile {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!stat) return { is: 'absent' }
  if (!stat.isFile()) return { is: 'foreign', what: stat.isSymbolicLink() ? 'a symbolic link' : 'not a file' }
  try {
    const text = fs.readFileSync(file, 'utf8')
    const isManaged = text.split('\n').some(line => line === `# ${HEADER}` || line === `<!-- ${HEADER} -->`)
    return isManaged
      ? { is: 'managed', text }
      : { is: 'foreign', what: 'a file without leakrig’s header line' }
  } catch (error) {
    return { is: 'foreign', what: `a file that cannot be read (${systemCode(error)})` }
  }
}
