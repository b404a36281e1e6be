import { messageOf } from '../errors.ts'
import type { TaskRegistry } from './entries.ts'
import { globalRegistry, taskRegistry } from './layout.ts'
import { listTasks, mayListMore, peekGlobalRegistry, readTaskRegistry } from './registry.ts'
import { setAsideText, type WithSetAside } from './set-aside.ts'

/** The registries of a workspace's tasks. */
export interface Registries {
  /** Those that could be read, by task. */
  tasks: Map<string, TaskRegistry>
  /** False when a task may have agents that are not known: then nobody is said to be listed nowhere. */
  isWhole: boolean
  /** What could not be read, in sentences. */
  problems: string[]
}

export function readRegistries(workspace: string): Registries {
  const found: Registries = { tasks: new Map(), isWhole: true, problems: [] }
  const attempt = (step: () => void): boolean => {
    try {
      step()
      return true
    } catch (error) {
      found.problems.push(messageOf(error))
      return false
    }
  }
  const note = (file: string, registry: WithSetAside | undefined): void => {
    const problem = registry && setAsideText(file, registry)
    if (problem !== undefined) found.problems.push(problem)
  }
  const read = (taskId: string): void => {
    const registry = readTaskRegistry(workspace, taskId)
    found.tasks.set(taskId, registry)
    note(taskRegistry(workspace, taskId), registry)
    if (mayListMore(registry)) found.isWhole = false
  }
  const isListed = attempt(() => {
    for (const taskId of listTasks(workspace)) if (!attempt(() => read(taskId))) found.isWhole = false
  })
  if (!isListed) found.isWhole = false
  attempt(() => note(globalRegistry(workspace), peekGlobalRegistry(workspace)))
  return found
}
