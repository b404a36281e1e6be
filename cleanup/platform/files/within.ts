import fs from 'node:fs'
import path from 'node:path'
import { CleanupError, systemCode } from '../../errors.ts'
import { Folder } from './folder.ts'

/**
 * Calls `use` with the path by which a file below `root` is reached while each folder on the way to it is held open, and
 * with the user that `root` belongs to. No link on that way is followed, and nobody can put one there in between; the
 * last name is not followed by us either, and is for `use` to handle. Every file of a workspace is reached through here.
 * Throws a CleanupError (`outside-workspace`) for a link on the way, ENOENT where a folder is missing, and what `use` throws.
 */
export function within<T>(root: string, file: string, use: (at: string, owner: number) => T): T {
  using folder = openWithin(root, path.dirname(file))
  try {
    return use(folder.at(path.basename(file)), folder.owner)
  } catch (error) {
    throw folder.named(error)
  }
}

/** Removes a file below `root`, when there is one: the name, whatever it leads to. */
export function removeWithin(root: string, file: string): void {
  try {
    within(root, file, fs.unlinkSync)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

/** A folder below `root`, held open, and who `root` belongs to. */
export type HeldFolder = Folder & { owner: number }

/** The same for a folder, to be disposed of by the caller. */
export function openWithin(root: string, folder: string): HeldFolder {
  return walk(root, folder, (above, name) => {
    const shown = path.join(above.path, name)
    throw Object.assign(new Error(`ENOENT: there is no folder ${shown}`), { code: 'ENOENT' })
  })
}

/**
 * Makes a workspace and the folders above it that are missing, wherever its caller wants it. One by one: Node's own way
 * to make several never ends where none can be made (/proc).
 */
export function makeRoot(folder: string): void {
  if (fs.existsSync(folder)) return
  makeRoot(path.dirname(folder))
  try {
    fs.mkdirSync(folder)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}

/** Makes a folder below `root`, and those above it that are missing. */
export function makeFolder(root: string, folder: string): void {
  openMade(root, folder)[Symbol.dispose]()
}

/** The same, held open; to be disposed of by the caller. */
export function openMade(root: string, folder: string): HeldFolder {
  return walk(root, folder, (above, name) => {
    try {
      fs.mkdirSync(above.at(name))
    } catch (error) {
      // Somebody else has just made it.
      if (systemCode(error) !== 'EEXIST') throw above.named(error)
    }
    return above.open(name)
  })
}

type Missing = (above: Folder, name: string) => Folder | undefined

function walk(root: string, folder: string, missing: Missing): HeldFolder {
  let held = Folder.root(root)
  const owner = held.uid
  for (const name of namesBelow(root, folder)) {
    // The one above is let go of once the one below is held.
    using above = held
    held = above.open(name) ?? missing(above, name) ?? gone(above, name)
  }
  return Object.assign(held, { owner })
}

function gone(above: Folder, name: string): never {
  throw new Error(`${path.join(above.path, name)} was removed while it was being made`)
}

function namesBelow(root: string, folder: string): string[] {
  const names = path.relative(root, folder).split(path.sep).filter(Boolean)
  if (names[0] !== '..') return names
  throw new CleanupError(
    'outside-workspace',
    `${folder} is refused: it lies outside ${root}. Nothing was touched; correct the path.`,
  )
}
