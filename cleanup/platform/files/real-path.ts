import fs from 'node:fs'
import path from 'node:path'
import { systemCode } from '../../errors.ts'

/** The real path of what need not exist: links are resolved as far as there is something. Throws what cannot be read. */
export function realPath(file: string): string {
  try {
    return fs.realpathSync.native(file)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || path.dirname(file) === file) throw error
    return path.join(realPath(path.dirname(file)), path.basename(file))
  }
}

/** Gives real paths of workspaces, and asks for each once: for one look at many agents. */
export function realWorkspaces(): (workspace: string) => string {
  const known = new Map<string, string>()
  return workspace => {
    const real = known.get(workspace) ?? realWorkspace(workspace)
    known.set(workspace, real)
    return real
  }
}

/** The real path of a workspace, or the path as it is where that cannot be known. */
export function realWorkspace(workspace: string): string {
  try {
    return realPath(workspace)
  } catch {
    return workspace
  }
}
