import fs from 'node:fs'
import { systemCode } from '../errors.ts'

/** The line by which a file of ours is known again. Ours is what bears it; anything else is somebody's own work. */
export const HEADER = 'Written by "leakrig service install"; "leakrig service uninstall" removes it.'

/** What lies where a service's file would be. */
export type Present =
  | { is: 'absent' }
  | { is: 'ours'; text: string }
  /** `what` for a sentence: "a symbolic link", "a file without our header line". */
  | { is: 'foreign'; what: string }

/** Looks, following no link: `systemctl mask` puts one to /dev/null there, and that is a decision of somebody's. */
export function present(file: string): Present {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!stat) return { is: 'absent' }
  if (!stat.isFile()) return { is: 'foreign', what: stat.isSymbolicLink() ? 'a symbolic link' : 'not a file' }
  try {
    const text = fs.readFileSync(file, 'utf8')
    const isOurs = text.split('\n').some(line => line === `# ${HEADER}` || line === `<!-- ${HEADER} -->`)
    return isOurs ? { is: 'ours', text } : { is: 'foreign', what: 'a file without our header line' }
  } catch (error) {
    return { is: 'foreign', what: `a file that cannot be read (${systemCode(error)})` }
  }
}
