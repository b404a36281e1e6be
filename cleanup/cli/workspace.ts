import fs from 'node:fs'
import { CleanupError } from '../errors.ts'
import { becomeOwner } from '../platform/become-owner.ts'
import { cwd, fromCwd } from '../platform/cwd.ts'
import { requireWorkspace, WORKSPACE_NAME } from '../registry/require-workspace.ts'

/**
 * The real paths of the workspaces that are meant: the folders named, or the one below the current folder. When root
 * asks for those of a user, this process is that user's from here on. `orNew`: an empty folder is one, too.
 */
export function workspacesOf(folders: readonly string[], orNew = false): string[] {
  const workspaces = folders.length > 0 ? folders.map(folder => workspaceOf(folder, orNew)) : [ownWorkspace()]
  becomeOwner(workspaces)
  return workspaces
}

function workspaceOf(folder: string, orNew: boolean): string {
  if (folder !== '') return requireWorkspace(fromCwd(folder), orNew)
  throw new CleanupError(
    'bad-argument',
    `An empty name is refused for a workspace: a variable may not be set; name the ${WORKSPACE_NAME} of an orchestrator.`,
  )
}

function ownWorkspace(): string {
  const workspace = fromCwd(WORKSPACE_NAME)
  if (fs.existsSync(workspace)) return requireWorkspace(workspace)
  throw new CleanupError(
    'no-workspace',
    `There is no ${WORKSPACE_NAME} in ${cwd()}; name the workspace of an orchestrator, or go to the folder that holds it.`,
  )
}
