import fs from 'node:fs'
import path from 'node:path'
import { words } from '../errors.ts'
import { taskRegistry } from '../workspace/layout.ts'
import { Folder } from './folder.ts'
import { lookAt, TASK_PARTS } from './look.ts'
import { type Owners, readOwners } from './owners.ts'
import type { SeenFile, TaskPart } from './plan-types.ts'

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

/** Looks at everything that retention is about in one task. Reads only. */
export function scanTask(workspace: string, taskId: string): SeenTask {
  const seen: SeenTask = { files: [], owners: undefined, problems: [] }
  const attempt = (step: () => void): void => {
    try {
      step()
    } catch (error) {
      seen.problems.push(words(error))
    }
  }
  attempt(() => {
    using root = new Folder(workspace, workspace)
    using task = root.open(taskId)
    if (!task) return
    attempt(() => {
      seen.owners = readOwners(workspace, taskId)
    })
    for (const part of TASK_PARTS)
      attempt(() => seen.files.push(...scanPart(task, { workspace, taskId, part })))
  })
  return seen
}

function scanPart(task: Folder, place: { workspace: string; taskId: string; part: TaskPart }): SeenFile[] {
  using folder = task.open(place.part)
  return folder?.names().flatMap(name => lookAt(folder, place, name) ?? []) ?? []
}
