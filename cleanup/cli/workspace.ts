import fs from 'node:fs'
import path from 'node:path'
import { CleanupError } from '../errors.ts'

const NAME = '.agent-workspace'

/** The absolute path of the workspace that is meant: the folder named, or the one below the current folder. */
export function workspaceOf(folder: string | undefined): string {
  const workspace = path.resolve(folder ?? NAME)
  if (fs.statSync(workspace, { throwIfNoEntry: false })?.isDirectory()) return fs.realpathSync(workspace)
  throw new CleanupError(
    'no-workspace',
    folder === undefined
      ? `There is no ${NAME} in ${process.cwd()}; name the workspace of an orchestrator, or go to the folder that holds it.`
      : `The workspace ${JSON.stringify(folder)} is no folder; expected the ${NAME} of an orchestrator.`,
  )
}
