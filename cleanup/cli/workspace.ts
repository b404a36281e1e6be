import fs from 'node:fs'
import path from 'node:path'
import { CleanupError } from '../errors.ts'
import { globalRegistry } from '../workspace/layout.ts'
import { listTasks } from '../workspace/registry.ts'
import { becomeOwner } from './become-owner.ts'
import { here, named } from './where.ts'

const NAME = '.agent-workspace'

/**
 * The absolute paths of the workspaces that are meant: the folders named, or the one below the current folder. When root
 * asks for those of a user, this process is that user's from here on.
 */
export function workspacesOf(folders: readonly string[]): string[] {
  const workspaces = folders.length > 0 ? folders.map(workspaceOf) : [workspaceOf(undefined)]
  becomeOwner(workspaces)
  return workspaces
}

function workspaceOf(folder: string | undefined): string {
  if (folder === '')
    throw new CleanupError(
      'bad-argument',
      'An empty name is refused for a workspace: a variable may not be set; name the .agent-workspace of an orchestrator.',
    )
  const workspace = named(folder ?? NAME)
  if (isFolder(workspace)) return fs.realpathSync(notBeside(workspace))
  throw new CleanupError(
    'no-workspace',
    folder === undefined
      ? `There is no ${NAME} in ${here()}; name the workspace of an orchestrator, or go to the folder that holds it.`
      : `The workspace ${JSON.stringify(folder)} is no folder; expected the ${NAME} of an orchestrator.`,
  )
}

/** Whoever names the folder that an orchestrator runs in would be told that nothing is left there. */
function notBeside(workspace: string): string {
  const within = path.join(workspace, NAME)
  if (!isFolder(within) || fs.existsSync(globalRegistry(workspace)) || listTasks(workspace).length > 0)
    return workspace
  throw new CleanupError(
    'no-workspace',
    `${workspace} is no workspace, but the folder of one; name ${within}.`,
  )
}

const isFolder = (folder: string): boolean =>
  fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
