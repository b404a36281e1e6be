import fs from 'node:fs'
import path from 'node:path'
import { CleanupError } from '../errors.ts'
import { globalRegistry, taskRegistry } from './layout.ts'

/** The name that orchestrators give to their workspace by default. */
export const WORKSPACE_NAME = '.agent-workspace'

/** The names that orchestrators give to task folders. A task folder may have lost its registry. */
const TASK = /^TASK-/

/**
 * Throws a CleanupError (`no-workspace`) unless the path leads to a folder. The check of a caller that was given a path
 * as a workspace earlier: the folder may have been removed since.
 */
export function requireWorkspaceFolder(folder: string): void {
  if (!isFolder(folder))
    throw refused(
      `The workspace ${JSON.stringify(folder)} ${isThere(folder) ? 'is not a folder' : 'does not exist'}; expected the ${WORKSPACE_NAME} folder of an orchestrator.`,
    )
}

/**
 * Returns the real path of a workspace: a folder named `.agent-workspace`, or one that holds the folder "registry", a
 * task's registry or a task's folder. `orNew` accepts an empty folder as well, for callers that create what is missing.
 * Throws a CleanupError (`no-workspace`) for every other folder: a mistyped path must not be reported as clean.
 */
export function requireWorkspace(folder: string, orNew = false): string {
  requireWorkspaceFolder(folder)
  const real = fs.realpathSync(folder)
  const names = namesIn(real)
  // A folder that cannot be listed passes: the step that reads it reports why.
  if (names === undefined || isWorkspace(real, names) || (orNew && names.length === 0)) return real
  const within = path.join(real, WORKSPACE_NAME)
  throw refused(
    isFolder(within)
      ? `${real} contains a workspace but is not one itself; name ${within}.`
      : `${real} is not an orchestrator’s workspace: expected the folder "registry" or a folder with AGENT_REGISTRY.json in it; name the ${WORKSPACE_NAME} folder of an orchestrator.`,
  )
}

/** True for the path of a folder that `requireWorkspace` accepts. */
export function isWorkspaceFolder(folder: string): boolean {
  const names = isFolder(folder) ? namesIn(folder) : undefined
  return names !== undefined && isWorkspace(folder, names)
}

const isWorkspace = (real: string, names: readonly string[]): boolean =>
  path.basename(real) === WORKSPACE_NAME ||
  isFolder(path.dirname(globalRegistry(real))) ||
  names.some(name => TASK.test(name) || fs.existsSync(taskRegistry(real, name)))

const refused = (why: string): CleanupError => new CleanupError('no-workspace', why)

function namesIn(folder: string): string[] | undefined {
  try {
    return fs.readdirSync(folder)
  } catch {
    return undefined
  }
}

const isThere = (folder: string): boolean => fs.statSync(folder, { throwIfNoEntry: false }) !== undefined

const isFolder = (folder: string): boolean =>
  fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
