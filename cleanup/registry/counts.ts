import type { Json } from '../platform/files/json.ts'
import type { GlobalRegistry, TaskRegistry } from './entries.ts'
import { isTerminal } from './lifecycle.ts'

/**
 * Derives a task's counts from the statuses at every write. Counts that are incremented and decremented drift with the first
 * update that is lost or repeated.
 */
export function deriveTaskCounts(registry: TaskRegistry): void {
  registry.total_spawned = atLeast(registry.total_spawned, registry.agents.length)
  registry.active_count = registry.agents.filter(isLive).length
  registry.completed_count = registry.agents.filter(agent => agent.status === 'completed').length
}

/** `deriveTaskCounts` for the global registry. */
export function deriveGlobalCounts(registry: GlobalRegistry): void {
  const tasks = Object.values(registry.tasks)
  const agents = Object.values(registry.agents)
  registry.total_tasks = atLeast(registry.total_tasks, tasks.length)
  registry.active_tasks = tasks.filter(isLive).length
  registry.total_agents_spawned = atLeast(registry.total_agents_spawned, agents.length)
  registry.active_agents = agents.filter(isLive).length
}

const isLive = (entry: Json): boolean => !isTerminal(entry.status)

/** A total never falls, because it includes entries that were removed from the registry since. */
function atLeast(recorded: number | undefined, counted: number): number {
  return typeof recorded === 'number' && recorded > counted ? recorded : counted
}
