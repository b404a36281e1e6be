import fs from 'node:fs'
import path from 'node:path'
import { CleanupError } from '../errors.ts'
import { globalRegistry, taskRegistry } from './layout.ts'

/** What an orchestrator calls its workspace, unless somebody has named another. */
export const WORKSPACE_NAME = '.agent-workspace'

/** What orchestrators call their tasks' folders, which may have lost their registry. */
const TASK = /^TASK-/

/**
 * Returns the real path of a workspace: a folder of that name, or one with a folder of registries or with tasks in it. With
 * `orNew` an empty folder will do, for whoever makes what is missing. Throws a CleanupError (`no-workspace`) for any
 * other folder: a mistyped one would be called clean.
 */
export function requireWorkspace(folder: string, orNew = false): string {
  if (!isFolder(folder))
    throw refused(
      `The workspace ${JSON.stringify(folder)} is no folder; expected the ${WORKSPACE_NAME} of an orchestrator.`,
    )
  const real = fs.realpathSync(folder)
  const names = namesIn(real)
  // One that may not be listed is for those to report who read in it.
  if (names === undefined || isWorkspace(real, names) || (orNew && names.length === 0)) return real
  const within = path.join(real, WORKSPACE_NAME)
  throw refused(
    isFolder(within)
      ? `${real} is no workspace, but the folder of one; name ${within}.`
      : `${real} is not an orchestrator’s workspace: expected the folder "registry" or a task ("TASK-...") in it; name the ${WORKSPACE_NAME} of an orchestrator.`,
  )
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

const isFolder = (folder: string): boolean =>
  fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
