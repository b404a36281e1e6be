import fs from 'node:fs'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { attempt, attemptAsync, CleanupError, messageOf, systemCode, withoutStop } from '../errors.ts'
import { Folder } from '../platform/files/folder.ts'
import { uniqueFolders } from '../platform/files/real-path.ts'
import { taskRegistry } from '../registry/layout.ts'
import { type LogFile, type LogFolder, readLogFile, TASK_PARTS } from './log-file.ts'
import { type Owners, readOwners } from './owners.ts'

/** One task's logs, and what its registry says about their agents. */
export interface ScannedTask {
  files: LogFile[]
  /** Undefined when the registry could not be read. */
  owners: Owners | undefined
  problems: string[]
}

/**
 * The real paths of workspaces, each once. Throws a CleanupError: `no-workspace` for a path that is not a readable
 * folder, `bad-argument` for a folder below /dev.
 */
export function resolveWorkspaces(workspaces: readonly string[]): string[] {
  return uniqueFolders(workspaces.map(resolveWorkspace))
}

function resolveWorkspace(workspace: string): string {
  try {
    const real = fs.realpathSync.native(workspace)
    if (!fs.statSync(real).isDirectory()) throw new CleanupError('no-workspace', `${real} is not a folder.`)
    if (!real.startsWith('/dev/')) return real
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    throw new CleanupError(
      'no-workspace',
      `The workspace ${workspace} cannot be used: ${withoutStop(messageOf(error))}.`,
    )
  }
  throw new CleanupError(
    'bad-argument',
    `The workspace ${workspace} is refused, because open files below /dev count as devices; move it.`,
  )
}

/** Scans all tasks of a workspace. Throws when the workspace cannot be listed. */
export async function scanWorkspace(workspace: string): Promise<ScannedTask[]> {
  const tasks: ScannedTask[] = []
  for (const taskId of listTasks(workspace)) tasks.push(await scanTask(workspace, taskId))
  return tasks
}

/** The folders that hold a registry, and those that lost theirs and still hold an archive. */
function listTasks(workspace: string): string[] {
  return fs
    .readdirSync(workspace)
    .filter(
      taskId =>
        fs.existsSync(taskRegistry(workspace, taskId)) ||
        fs.existsSync(path.join(workspace, taskId, 'archive')),
    )
}

async function scanTask(workspace: string, taskId: string): Promise<ScannedTask> {
  const found: ScannedTask = { files: [], owners: undefined, problems: [] }
  const onFailure = (problem: string) => found.problems.push(problem)
  await attemptAsync(async () => {
    using root = Folder.root(workspace)
    using task = root.open(taskId)
    if (!task) return
    found.owners = attempt(() => readOwners(workspace, taskId), onFailure)
    const { invalid } = found.owners ?? {}
    if (invalid !== undefined) onFailure(invalid)
    for (const part of TASK_PARTS)
      await attemptAsync(() => scanPart(task, { workspace, taskId, part }, found.files), onFailure)
  }, onFailure)
  return found
}

/** Files read in one turn of the event loop, which a daemon also needs to watch its agents. */
const FILES_PER_TURN = 500

async function scanPart(task: Folder, place: LogFolder, files: LogFile[]): Promise<void> {
  using folder = task.open(place.part)
  if (!folder) return
  const names = folder.names()
  for (let from = 0; from < names.length; from += FILES_PER_TURN) {
    const some = names.slice(from, from + FILES_PER_TURN)
    files.push(...some.flatMap(name => readLogFile(folder, place, name) ?? []))
    await nextTurn()
  }
}
