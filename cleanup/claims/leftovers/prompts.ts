import path from 'node:path'
import { describeFile, type FileEntry } from '../../platform/files/file-entry.ts'
import { openWithin } from '../../platform/files/within.ts'
import type { TaskRegistry } from '../../registry/entries.ts'
import { taskFolder } from '../../registry/layout.ts'

const PROMPT = /^agent_prompt_(.+)\.txt$/

/** Finds the prompts in a task's folder whose agents its registry does not list, and that no entry names. */
export function findLeftoverPrompts(
  workspace: string,
  taskId: string,
  { agents }: TaskRegistry,
): FileEntry[] {
  const ids = new Set(agents.map(({ id }) => id))
  const named = new Set(
    agents.flatMap(({ prompt_file: file }) => (typeof file === 'string' ? path.basename(file) : [])),
  )
  using folder = openWithin(workspace, taskFolder(workspace, taskId))
  return folder
    .names()
    .filter(name => PROMPT.test(name) && !named.has(name) && !ids.has(PROMPT.exec(name)?.[1] ?? name))
    .flatMap(name => describeFile(path.join(folder.path, name)))
}
