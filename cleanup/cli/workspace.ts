import fs from 'node:fs'
import { CleanupError } from '../errors.ts'
import { becomeOwner } from '../platform/become-owner.ts'
import { cwd, fromCwd } from '../platform/cwd.ts'
import { uniqueFolders } from '../platform/files/real-path.ts'
import { requireWorkspace, WORKSPACE_NAME } from '../registry/require-workspace.ts'

export const WORKSPACE_ARGUMENT = '.agent-workspace folders (by default the one in the current folder)'

/**
 * The real paths of the workspaces that a command works on, each once: the folders that were named, or the one in the current
 * folder. `orNew` accepts empty folders. When root runs the command on a user's workspaces, this process becomes that
 * user for good. A command therefore imports its modules before this call: the user may not be able to read them. Throws a
 * CleanupError (`bad-argument`, `no-workspace`, `not-the-owner`).
 */
export function workspacesOf(folders: readonly string[], orNew = false): string[] {
  const named = folders.map(folder => workspaceOf(folder, orNew))
  const workspaces = folders.length > 0 ? uniqueFolders(named) : [requireWorkspace(ownWorkspace())]
  becomeOwner(workspaces)
  return workspaces
}

function workspaceOf(folder: string, orNew: boolean): string {
  if (folder !== '') return requireWorkspace(fromCwd(folder), orNew)
  throw new CleanupError(
    'bad-argument',
    `An empty workspace name is refused, because a variable may be unset; name the ${WORKSPACE_NAME} folder of an orchestrator.`,
  )
}

/** The path of the workspace in the current folder. Throws a CleanupError (`no-workspace`) where there is none. */
export function ownWorkspace(): string {
  const workspace = fromCwd(WORKSPACE_NAME)
  if (fs.existsSync(workspace)) return workspace
  throw new CleanupError(
    'no-workspace',
    `There is no ${WORKSPACE_NAME} in ${cwd()}; name the workspace of an orchestrator, or change to the folder that contains it.`,
  )
}
