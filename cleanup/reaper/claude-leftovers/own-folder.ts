import fs from 'node:fs'
import path from 'node:path'
import { Folder, kindOf } from '../../platform/files/folder.ts'
import { readRegular } from '../../platform/files/regular-file.ts'
import { ownUid } from '../../platform/files/trust.ts'

/** Takes down why a folder was not entered, in a sentence without its full stop. */
export type Refused = (why: string) => void

/**
 * Opens the folders `names`, each in the one before it, the first in `root`. No link is followed below `root`, and each must be ours:
 * where another user may make names (/tmp), he can put anything in the place of what claude made. Undefined where one
 * is missing, or is something else; a link and another user's folder are told to `refused`.
 */
export function openOwn(
  root: string,
  names: readonly string[],
  refused: Refused = () => {},
): Folder | undefined {
  let held = openRoot(root)
  for (const name of names) {
    if (!held) return undefined
    // The one above is let go of once the one below is held.
    using above = held
    held = openOwnIn(above, name, refused)
  }
  return held
}

/** The same for one folder in another. */
export function openOwnIn(above: Folder, name: string, refused: Refused = () => {}): Folder | undefined {
  const folder = attempt(() => above.open(name))
  if (folder === undefined) {
    const file = path.join(above.path, name)
    const kind = entryIn(above, name)?.kind
    if (kind === 'a symbolic link') refused(`${file} is a symbolic link, so what claude left behind it stays`)
    if (kind === 'a folder') refused(`${file} could not be opened, so what claude left in it stays`)
    return undefined
  }
  const { uid } = folder
  if (uid === ownUid()) return folder
  folder[Symbol.dispose]()
  refused(`${folder.path} belongs to user ${uid}, so what claude left in it stays`)
  return undefined
}

/** A folder that is named by an environment, whoever owns it (/tmp); undefined when it cannot be opened. */
export const openRoot = (root: string): Folder | undefined => attempt(() => Folder.at(root))

/** What one name in a folder is. */
export interface Entry {
  file: string
  kind: ReturnType<typeof kindOf>
  /** Device, inode and birth: a number is given again at once when its file is gone, but not at the same moment. */
  identity: string
  device: string
  uid: number
  bytes: number
  /** When it was made, in ms since 1970: unlike the other times, nobody can set it. Where the file system keeps none, when it was last changed. */
  bornMs: number
  writtenMs: number
}

/** What a name is, links not followed; undefined when there is nothing of that name. */
export function entryIn(folder: Folder, name: string): Entry | undefined {
  const stat = attempt(() => fs.lstatSync(folder.at(name), { bigint: true, throwIfNoEntry: false }))
  if (!stat) return undefined
  return {
    file: path.join(folder.path, name),
    kind: kindOf(stat),
    identity: `${stat.dev}:${stat.ino}:${stat.birthtimeNs}`,
    device: String(stat.dev),
    uid: Number(stat.uid),
    bytes: stat.isFile() ? Number(stat.size) : 0,
    bornMs: Number(stat.birthtimeNs > 0n ? stat.birthtimeMs : stat.ctimeMs),
    writtenMs: Number(stat.mtimeMs),
  }
}

/** How many names of one folder are looked at. Somebody who makes more than that keeps his leftovers. */
const MOST_NAMES = 100_000

/** The names in a folder that is held open. */
export const namesIn = (folder: Folder | undefined): string[] =>
  folder ? (attempt(() => folder.names()) ?? []).slice(0, MOST_NAMES) : []

/** The text of a regular file of ours of at most `maxBytes`; undefined when it is something else. */
export function textIn(folder: Folder, name: string, maxBytes: number): string | undefined {
  return attempt(() => readRegular(folder.at(name), ownUid(), maxBytes).toString('utf8'))
}

function attempt<T>(step: () => T): T | undefined {
  try {
    return step()
  } catch {
    return undefined
  }
}
