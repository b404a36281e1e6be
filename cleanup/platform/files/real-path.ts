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

/** Returns a `realWorkspace` with a cache, for one pass over many agents. */
export function realWorkspaces(): (workspace: string) => string {
  const cache = new Map<string, string>()
  return workspace => {
    const real = cache.get(workspace) ?? realWorkspace(workspace)
    cache.set(workspace, real)
    return real
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
