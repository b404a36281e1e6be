import { realWorkspace, realWorkspaces } from '../platform/files/real-path.ts'
import { type AgentRef, agentMarker, agentOfMarker } from './layout.ts'

/**
 * Tells whether a marker names an agent. A marker holds the workspace's path as the orchestrator called it; another
 * program may have come to the same folder by a link, so the real paths count. They are asked for once per path that
 * is met, and only where task and id are the agent's.
 */
export function namesAgent(ref: AgentRef): (marker: string | undefined) => boolean {
  const own = agentMarker(ref)
  const end = `/${ref.taskId}/${ref.agentId}`
  const known = new Map<string, boolean>()
  return marker => {
    if (marker === undefined || !marker.endsWith(end)) return false
    if (marker === own) return true
    const isOurs = known.get(marker) ?? isSameWorkspace(marker, ref)
    known.set(marker, isOurs)
    return isOurs
  }
}

function isSameWorkspace(marker: string, { workspace }: AgentRef): boolean {
  const named = agentOfMarker(marker)
  return named !== undefined && realWorkspace(named.workspace) === realWorkspace(workspace)
}

/** The agent that a marker names, its workspace at its real path. */
export function agentsByMarker(): (marker: string | undefined) => AgentRef | undefined {
  const real = realWorkspaces()
  return marker => {
    const agent = marker === undefined ? undefined : agentOfMarker(marker)
    return agent && { ...agent, workspace: real(agent.workspace) }
  }
}
