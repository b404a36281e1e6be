import { CleanupError, messageOf } from '../errors.ts'
import type { AgentRef } from '../registry/layout.ts'
import { isPending } from '../registry/lifecycle.ts'
import { listTasks, readAgent, readTaskRegistry } from '../registry/registry.ts'
import { type CleanUpOptions, cleanUp } from './clean-up.ts'
import type { CleanUpReport } from './report.ts'

/** The agents of a workspace whose end is on disk while their cleanup is not finished, and the registries that could not be read. */
export interface Pending {
  agents: AgentRef[]
  unreadable: CleanupError[]
}

/** Finds what a killed cleaner, or a system that never cleaned up, has left to be done. Reads registries only. */
export function findPending(workspace: string): Pending {
  const found: Pending = { agents: [], unreadable: [] }
  for (const taskId of listTasks(workspace)) {
    try {
      const pending = readTaskRegistry(workspace, taskId).agents.filter(isPending)
      found.agents.push(...pending.map(agent => ({ workspace, taskId, agentId: agent.id })))
    } catch (error) {
      found.unreadable.push(
        error instanceof CleanupError ? error : new CleanupError('registry-unreadable', messageOf(error)),
      )
    }
  }
  return found
}

/** Goes on with a cleanup whose intent is on disk. Every step can be repeated, so it begins with the first. */
export function resume(
  ref: AgentRef,
  options: Omit<CleanUpOptions, 'status' | 'reason'>,
): Promise<CleanUpReport> {
  const { status, reason, cleanup } = readAgent(ref)
  return cleanUp(ref, { ...options, status, reason: cleanup?.reason ?? reason ?? '' })
}
