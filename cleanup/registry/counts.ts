import type { Json } from '../platform/files/json.ts'
import type { GlobalRegistry, TaskRegistry } from './entries.ts'
import { isTerminal } from './lifecycle.ts'

/**
 * Counts come from the statuses, each time anew. A count that is incremented and decremented drifts with the
 * first update that is lost or done twice, and nobody can tell afterwards which one it was.
 */
export function deriveTaskCounts(registry: TaskRegistry): void {
  registry.total_spawned = atLeast(registry.total_spawned, registry.agents.length)
  registry.active_count = registry.agents.filter(isLive).length
  registry.completed_count = registry.agents.filter(agent => agent.status === 'completed').length
}

/** The same for the registry of all tasks. */
export function deriveGlobalCounts(registry: GlobalRegistry): void {
  const tasks = Object.values(registry.tasks)
  const agents = Object.values(registry.agents)
  registry.total_tasks = atLeast(registry.total_tasks, tasks.length)
  registry.active_tasks = tasks.filter(isLive).length
  registry.total_agents_spawned = atLeast(registry.total_agents_spawned, agents.length)
  registry.active_agents = agents.filter(isLive).length
}

const isLive = (entry: Json): boolean => !isTerminal(entry.status)

/** A total also counts what somebody has pruned from the registry since. */
function atLeast(known: number | undefined, seen: number): number {
  return Math.max(typeof known === 'number' ? known : 0, seen)
}
