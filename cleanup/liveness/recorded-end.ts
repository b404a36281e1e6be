import { textOf } from '../platform/files/json.ts'
import type { AgentRef } from '../registry/layout.ts'
import { type Ending, isTerminal } from '../registry/lifecycle.ts'
import { peekGlobalRegistry } from '../registry/registry.ts'

/**
 * How an agent ended by the global registry, while its task's says that it lives: another program has written an older
 * copy of that one. Undefined when the global one knows of no end either, or cannot be read.
 */
export function recordedEnd({ workspace, taskId, agentId }: AgentRef): Ending | undefined {
  const known = globalEntry(workspace, agentId)
  if (known?.task_id !== taskId || !isTerminal(textOf(known.status))) return undefined
  const status = textOf(known.status)
  return { status, reason: textOf(known.reason) || `its status was ${status}` }
}

function globalEntry(workspace: string, agentId: string) {
  try {
    return peekGlobalRegistry(workspace)?.agents[agentId]
  } catch {
    return undefined
  }
}
