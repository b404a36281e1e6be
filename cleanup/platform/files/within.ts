import fs from 'node:fs'
import path from 'node:path'
import { CleanupError, systemCode } from '../../errors.ts'
import { Folder } from './folder.ts'

/**
 * Calls `use` with a path to a file below `root`, whose folder is held open, and with the owner of `root`. No link on the way
 * is followed, and none can be inserted meanwhile. The last name is not followed either; `use` has to handle a link there.
 * Every access to a file of a workspace goes through this function. Throws a CleanupError (`outside-workspace`) for a
 * link on the way, ENOENT for a missing folder, and whatever `use` throws.
 */
export function within<T>(root: string, file: string, use: (at: string, owner: number) => T): T {
  using folder = openWithin(root, path.dirname(file))
  try {
    return use(folder.at(path.basename(file)), folder.owner)
  } catch (error) {
    throw folder.named(error)
  }
}

/** Removes a file below `root` if it exists. A link is removed, not its target. */
export function removeWithin(root: string, file: string): void {
  try {
    within(root, file, fs.unlinkSync)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

/** A folder below `root`, held open, and the owner of `root`. */
export type HeldFolder = Folder & { owner: number }

/** Opens a folder below `root` in the same way. The caller disposes of it. */
export function openWithin(root: string, folder: string): HeldFolder {
  return walk(root, folder, (above, name) => {
    const shown = path.join(above.path, name)
    throw Object.assign(new Error(`ENOENT: there is no folder ${shown}`), { code: 'ENOENT' })
  })
}

/**
 * Creates a workspace and the missing folders above it, wherever the caller wants it. One by one: Node's recursive mkdir
 * never returns where no folder can be created (/proc).
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

/** Creates a folder below `root` and the missing ones on the way. */
export function makeFolder(root: string, folder: string): void {
  openMade(root, folder)[Symbol.dispose]()
}

/** `makeFolder`, and returns the folder open. The caller disposes of it. */
export function openMade(root: string, folder: string): HeldFolder {
  return walk(root, folder, (above, name) => {
    try {
      fs.mkdirSync(above.at(name))
    } catch (error) {
      // Another process has just created it.
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
    // The folder above is released once the one below is open.
    using above = held
    held = above.open(name) ?? missing(above, name) ?? gone(above, name)
  }
  return Object.assign(held, { owner })
}

function gone(above: Folder, name: string): never {
  throw new Error(`${path.join(above.path, name)} was removed while it was being created`)
}

function namesBelow(root: string, folder: string): string[] {
  const names = path.relative(root, folder).split(path.sep).filter(Boolean)
  if (names[0] !== '..') return names
  throw new CleanupError(
    'outside-workspace',
    `${folder} is refused: it lies outside ${root}. Nothing was touched; correct the path.`,
  )
}
