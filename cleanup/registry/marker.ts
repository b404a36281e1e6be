import { realWorkspace, realWorkspaces } from '../platform/files/real-path.ts'
import { type AgentRef, agentMarker, agentOfMarker } from './layout.ts'

/**
 * Returns a function that tells whether a marker names this agent. A marker contains the workspace's path as the orchestrator
 * knew it, possibly through a link, so real paths are compared: once per path, and only when task and id match.
 */
export function namesAgent(ref: AgentRef): (marker: string | undefined) => boolean {
  const own = agentMarker(ref)
  const end = `/${ref.taskId}/${ref.agentId}`
  const cache = new Map<string, boolean>()
  return marker => {
    if (marker === undefined || !marker.endsWith(end)) return false
    if (marker === own) return true
    const isOurs = cache.get(marker) ?? isSameWorkspace(marker, ref)
    cache.set(marker, isOurs)
    return isOurs
  }
}

function isSameWorkspace(marker: string, { workspace }: AgentRef): boolean {
  const named = agentOfMarker(marker)
  return named !== undefined && realWorkspace(named.workspace) === realWorkspace(workspace)
}

/** Returns a function that parses a marker into its agent, with the workspace's real path. */
export function agentsByMarker(): (marker: string | undefined) => AgentRef | undefined {
  const real = realWorkspaces()
  return marker => {
    const agent = marker === undefined ? undefined : agentOfMarker(marker)
    return agent && { ...agent, workspace: real(agent.workspace) }
  }
}
