import fs from 'node:fs'
import path from 'node:path'
import { systemCode } from '../../errors.ts'

/** The real path of a file that may not exist: links are resolved as far as the path exists. Throws other system errors. */
export function realPath(file: string): string {
  try {
    return fs.realpathSync.native(file)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || path.dirname(file) === file) throw error
    return path.join(realPath(path.dirname(file)), path.basename(file))
  }
}

/** The real path of a workspace, or the given path when it cannot be resolved. */
export function realWorkspace(workspace: string): string {
  try {
    return realPath(workspace)
  } catch {
    return workspace
  }
}

/** Device and inode of the file that a path leads to, which are the same through every link and mount; undefined when it cannot be read. */
export function inodeOf(file: string): string | undefined {
  try {
    const { dev, ino } = fs.statSync(file, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

/** True when both paths lead to one file or folder, which a bind mount shows at several real paths. */
export function isSameFile(one: string, other: string): boolean {
  if (one === other) return true
  const inode = inodeOf(one)
  return inode !== undefined && inode === inodeOf(other)
}

/** Some folders, each once: the first of the paths that lead to it. */
export function uniqueFolders(folders: readonly string[]): string[] {
  return [...Map.groupBy(folders, folder => inodeOf(folder) ?? folder).values()].flatMap(
    ([first = '']) => first,
  )
}

/**
 * Returns a function that gives every path to one of the `known` workspaces as that path, and every other one as its real
 * path. It has a cache, for one pass over many agents.
 */
export function canonicalWorkspaces(known: Iterable<string>): (workspace: string) => string {
  const cache = new Map<string, string>()
  let byInode: ReadonlyMap<string | undefined, string> | undefined
  return workspace => {
    let found = cache.get(workspace)
    if (found === undefined) {
      const real = realWorkspace(workspace)
      byInode ??= new Map([...known].map(one => [inodeOf(one), one]))
      const inode = inodeOf(real)
      found = (inode !== undefined && byInode.get(inode)) || real
      cache.set(workspace, found)
    }
    return found
  }
}
