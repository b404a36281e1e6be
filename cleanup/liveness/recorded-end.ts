import { textOf } from '../platform/files/json.ts'
import type { AgentRef } from '../registry/layout.ts'
import { type Ending, isTerminal } from '../registry/lifecycle.ts'
import { peekGlobalRegistry } from '../registry/registry.ts'

/**
 * How an agent ended by the global registry, while its task's registry lists it as live: another program has written an
 * older copy of the task's. Undefined when the global registry records no end either, or cannot be read.
 */
export function recordedEnd({ workspace, taskId, agentId }: AgentRef): Ending | undefined {
  const recorded = globalEntry(workspace, agentId)
  if (recorded?.task_id !== taskId || !isTerminal(recorded.status)) return undefined
  const status = textOf(recorded.status)
  return { status, reason: textOf(recorded.reason) || `its status was ${status}` }
}

function globalEntry(workspace: string, agentId: string) {
  try {
    return peekGlobalRegistry(workspace)?.agents[agentId]
  } catch {
    return undefined
  }
}
