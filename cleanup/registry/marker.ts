import fs from 'node:fs'
import { canonicalWorkspaces, isSameFile } from '../platform/files/real-path.ts'
import type { AgentEntry } from './entries.ts'
import { type AgentRef, agentMarker, agentOfMarker, taskRegistry } from './layout.ts'
import { isSameWorkspace, recordedWorkspaces } from './workspace-paths.ts'

/**
 * Returns a function that tells whether a marker names this agent. A marker contains the workspace's path as the orchestrator
 * knew it, so it is compared by the folder that it leads to: once per path, and only when task and id match. A path that
 * leads to no workspace with that task any more counts if the agent's entry records it too, unless it leads to
 * another one for the process `pid`, which may have mounts of its own.
 */
export function namesAgent(
  ref: AgentRef,
  entry: AgentEntry | undefined,
): (marker: string | undefined, pid?: number) => boolean {
  const own = agentMarker(ref)
  const end = `/${ref.taskId}/${ref.agentId}`
  const cache = new Map<string, 'same' | 'former' | 'other'>()
  return (marker, pid) => {
    if (marker === undefined || !marker.endsWith(end)) return false
    if (marker === own) return true
    const found = cache.get(marker) ?? compare(marker, ref, entry)
    cache.set(marker, found)
    return found === 'same' || (found === 'former' && !(pid !== undefined && isOtherFor(pid, marker, ref)))
  }
}

function compare(marker: string, ref: AgentRef, entry: AgentEntry | undefined): 'same' | 'former' | 'other' {
  const named = agentOfMarker(marker)
  if (!named) return 'other'
  if (isSameWorkspace(named.workspace, ref.workspace)) return 'same'
  return entry && recordedWorkspaces(ref, entry).includes(named.workspace) ? 'former' : 'other'
}

function isOtherFor(pid: number, marker: string, { workspace }: AgentRef): boolean {
  const named = agentOfMarker(marker)
  if (!named) return true
  const root = `/proc/${pid}/root`
  return (
    fs.existsSync(`${root}${taskRegistry(named.workspace, named.taskId)}`) &&
    !isSameFile(`${root}${named.workspace}`, workspace)
  )
}

/** Returns a function that parses a marker into its agent, with the workspace's path as in `known`, or its real path. */
export function agentsByMarker(
  known: Iterable<string>,
): (marker: string | undefined) => AgentRef | undefined {
  const canonical = canonicalWorkspaces(known)
  return marker => {
    const agent = marker === undefined ? undefined : agentOfMarker(marker)
    return agent && { ...agent, workspace: canonical(agent.workspace) }
  }
}
