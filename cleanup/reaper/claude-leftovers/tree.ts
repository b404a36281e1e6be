import type { Folder } from '../../platform/files/folder.ts'
import { type Entry, entryIn, namesIn, openOwnIn } from './own-folder.ts'
import { isOurs, type Search } from './search.ts'

/** How deep a folder may be nested that goes as a whole, and how much there may be in it. A team has two levels and a file for each member. */
const DEEPEST = 32
const MOST = 10_000

/** Why a folder stays as a whole. */
class Stays extends Error {}

/**
 * Lists a folder with all that is in it, in the order in which it can be removed, `last` right before the folder
 * itself. A link is listed as the link. A folder of which something is not ours, is older than the agent, lies on
 * another device, or is more than can be looked at stays as a whole: then undefined, and the search says why.
 */
export function listTree(search: Search, above: Folder, name: string, last: string): Entry[] | undefined {
  const listed: Entry[] = []
  try {
    const own = list(above, name, 0)
    return [...listed.filter(one => one !== own), ...(own ? [own] : [])]
  } catch (error) {
    if (!(error instanceof Stays)) throw error
    search.leave(error.message)
    return undefined
  }

  function list(folder: Folder, one: string, depth: number): Entry | undefined {
    const entry = entryIn(folder, one)
    if (!entry) return undefined
    if (!isOurs(entry, search.beganMs))
      throw new Stays(`${entry.file} is not of the agent's life or not our user's, so its folder stays`)
    if (entry.device !== above.device)
      throw new Stays(`${entry.file} lies on another file system, so its folder stays`)
    if (depth > DEEPEST)
      throw new Stays(`${above.path}/${name} is nested more than ${DEEPEST} levels deep, and stays`)
    if (listed.length >= MOST)
      throw new Stays(`${above.path}/${name} holds more than ${MOST} files, and stays`)
    if (entry.kind === 'a folder') {
      using held = openOwnIn(folder, one)
      if (!held) throw new Stays(`${entry.file} could not be opened, so its folder stays`)
      const names = namesIn(held)
      // The kernel gives names in no order that means anything.
      for (const inner of names.filter(inner => depth > 0 || inner !== last)) list(held, inner, depth + 1)
      if (depth === 0 && names.includes(last)) list(held, last, depth + 1)
    }
    listed.push(entry)
    return entry
  }
}
