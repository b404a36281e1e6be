import fs from 'node:fs'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import { Folder } from '../platform/files/folder.ts'
import { taskRegistry } from '../registry/layout.ts'
import { lookAt, type Place, TASK_PARTS } from './look.ts'
import { type Owners, readOwners } from './owners.ts'
import type { SeenFile } from './plan-types.ts'

/** One task's files, and what its registry says of their agents. */
export interface SeenTask {
  files: SeenFile[]
  /** Undefined when the registry could not be read. */
  owners: Owners | undefined
  problems: string[]
}

/** The tasks of a workspace: the folders that hold a registry, and those that lost theirs and still hold an archive. */
export function tasksOf(workspace: string): string[] {
  return fs
    .readdirSync(workspace)
    .filter(
      taskId =>
        fs.existsSync(taskRegistry(workspace, taskId)) ||
        fs.existsSync(path.join(workspace, taskId, 'archive')),
    )
}

/** So many files are looked at in one turn of the event loop: a caller that watches agents has its turns between. */
const NAMES_A_TURN = 500

/** Looks at everything that retention is about in one task. Reads only. */
export async function scanTask(workspace: string, taskId: string): Promise<SeenTask> {
  const seen: SeenTask = { files: [], owners: undefined, problems: [] }
  const attempt = async (step: () => void | Promise<void>): Promise<void> => {
    try {
      await step()
    } catch (error) {
      seen.problems.push(messageOf(error))
    }
  }
  await attempt(async () => {
    using root = Folder.root(workspace)
    using task = root.open(taskId)
    if (!task) return
    await attempt(() => {
      seen.owners = readOwners(workspace, taskId)
    })
    for (const part of TASK_PARTS)
      await attempt(() => scanPart(task, { workspace, taskId, part }, seen.files))
  })
  return seen
}

async function scanPart(task: Folder, place: Place, files: SeenFile[]): Promise<void> {
  using folder = task.open(place.part)
  if (!folder) return
  const names = folder.names()
  for (let from = 0; from < names.length; from += NAMES_A_TURN) {
    files.push(...names.slice(from, from + NAMES_A_TURN).flatMap(name => lookAt(folder, place, name) ?? []))
    await nextTurn()
  }
}
