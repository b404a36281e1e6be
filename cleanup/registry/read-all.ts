import { attempt } from '../errors.ts'
import type { AgentEntry, TaskRegistry } from './entries.ts'
import { globalRegistry, taskRegistry } from './layout.ts'
import {
  everyEntry,
  listTasks,
  mayListMore,
  peekGlobalRegistry,
  peekTaskRegistry,
  readTaskRegistry,
} from './registry.ts'
import { setAsideText, type WithSetAside } from './set-aside.ts'

/** The registries of a workspace's tasks. */
export interface Registries {
  /** Those that could be read, by task. */
  tasks: Map<string, TaskRegistry>
  /** False when a registry could not be read or holds entries that are not understood: it may list any agent. */
  isWhole: boolean
  /** What could not be read, in sentences. */
  problems: string[]
}

/** Reads every registry of a workspace. Throws nothing: what could not be read is in `problems`. */
export function readRegistries(workspace: string): Registries {
  const found: Registries = { tasks: new Map(), isWhole: true, problems: [] }
  const onFailure = (problem: string) => {
    found.problems.push(problem)
    found.isWhole = false
  }
  for (const taskId of attempt(() => listTasks(workspace), onFailure) ?? [])
    attempt(() => {
      const registry = readTaskRegistry(workspace, taskId)
      found.tasks.set(taskId, registry)
      noteSetAside(taskRegistry(workspace, taskId), registry)
      if (mayListMore(registry)) found.isWhole = false
    }, onFailure)
  // Whether every agent is known depends on the tasks' registries alone.
  attempt(
    () => noteSetAside(globalRegistry(workspace), peekGlobalRegistry(workspace)),
    problem => found.problems.push(problem),
  )
  return found

  function noteSetAside(file: string, registry: WithSetAside | undefined): void {
    const problem = registry && setAsideText(file, registry)
    if (problem !== undefined) found.problems.push(problem)
  }
}

/** Every entry of a workspace that may be an agent, with its task. The entries are shared. Throws for a registry that cannot be read. */
export const everyAgent = (workspace: string): { taskId: string; entry: AgentEntry }[] =>
  listTasks(workspace).flatMap(taskId =>
    everyEntry(peekTaskRegistry(workspace, taskId)).map(entry => ({ taskId, entry })),
  )
