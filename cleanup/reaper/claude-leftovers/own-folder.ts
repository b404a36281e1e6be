import fs from 'node:fs'
import path from 'node:path'
import { attempt } from '../../errors.ts'
import { Folder, kindOf } from '../../platform/files/folder.ts'
import { readRegular } from '../../platform/files/regular-file.ts'
import { ownUid } from '../../platform/files/trust.ts'

/** Receives why a folder was not entered, in a sentence without its full stop. */
export type Refused = (why: string) => void

/**
 * Opens the folders `names`, each in the one before it, the first in `root`. No link is followed below `root`, and each must be
 * ours: in a folder that other users may write to (/tmp), another user can put anything in the place of what claude made.
 * Undefined where one is missing, or is something else; `refused` receives a link and another user's folder.
 */
export function openOwn(
  root: string,
  names: readonly string[],
  refused: Refused = () => {},
): Folder | undefined {
  let held = openRoot(root)
  for (const name of names) {
    if (!held) return undefined
    // The upper folder is closed once the lower one is open.
    using above = held
    held = openOwnIn(above, name, refused)
  }
  return held
}

/** The same for one folder in another. */
export function openOwnIn(above: Folder, name: string, refused: Refused = () => {}): Folder | undefined {
  const folder = orUndefined(() => above.open(name))
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

/** Opens a folder that an environment names, whoever owns it (/tmp); undefined when it cannot be opened. */
export const openRoot = (root: string): Folder | undefined => orUndefined(() => Folder.at(root))

/** One name in a folder. */
export interface Entry {
  file: string
  kind: ReturnType<typeof kindOf>
  /** Device, inode and birth: an inode's number may be used again at once, but not with the same birth. */
  identity: string
  device: string
  uid: number
  bytes: number
  /** Its birth, in ms since 1970: no call sets it. On a file system without births, when its inode last changed. */
  bornMs: number
  writtenMs: number
}

/** Reads what a name is, without following links; undefined when there is nothing of that name. */
export function entryIn(folder: Folder, name: string): Entry | undefined {
  const stat = orUndefined(() => fs.lstatSync(folder.at(name), { bigint: true, throwIfNoEntry: false }))
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

/** How many names of one folder are read. In a folder with more, some leftovers stay. */
const MOST_NAMES = 100_000

/** The names in a folder that is held open. */
export const namesIn = (folder: Folder | undefined): string[] =>
  folder ? (orUndefined(() => folder.names()) ?? []).slice(0, MOST_NAMES) : []

/** The text of a regular file of ours of at most `maxBytes`; undefined when it is something else. */
export function textIn(folder: Folder, name: string, maxBytes: number): string | undefined {
  return orUndefined(() => readRegular(folder.at(name), ownUid(), maxBytes).toString('utf8'))
}

/** The step's value; undefined where it fails: what cannot be read counts as not there. */
const orUndefined = <T>(step: () => T): T | undefined => attempt(step, () => {})
