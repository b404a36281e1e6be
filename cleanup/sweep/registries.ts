import { words } from '../errors.ts'
import { listTasks, readTaskRegistry } from '../workspace/registry.ts'
import type { TaskRegistry } from '../workspace/registry-types.ts'

/** The registries of a workspace's tasks. */
export interface Registries {
  /** Those that could be read, by task. */
  tasks: Map<string, TaskRegistry>
  /** Why others could not, in sentences: then nothing is known of the agents that they list. */
  problems: string[]
}

export function readRegistries(workspace: string): Registries {
  const found: Registries = { tasks: new Map(), problems: [] }
  const attempt = (step: () => void): void => {
    try {
      step()
    } catch (error) {
      found.problems.push(words(error))
    }
  }
  attempt(() => {
    for (const taskId of listTasks(workspace))
      attempt(() => found.tasks.set(taskId, readTaskRegistry(workspace, taskId)))
  })
  return found
}
