import { createHash } from 'node:crypto'
import path from 'node:path'
import { isJson } from '../platform/files/json.ts'
import { realWorkspace } from '../platform/files/real-path.ts'
import { isCgroup } from '../platform/processes/cgroup.ts'
import type { Identity } from '../platform/processes/identity.ts'
import type { AgentEntry, Contained } from '../registry/entries.ts'
import { type AgentRef, agentMarker } from '../registry/layout.ts'
import { recordedWorkspaces } from '../registry/workspace-paths.ts'

/**
 * The name of an agent's cgroup. It derives from the agent, so that a registry cannot name the cgroup of another one, and
 * from the workspace's real path, so that every link to the workspace leads to the same name.
 */
export function cgroupName(ref: AgentRef): string {
  return `leakrig-${createHash('sha256')
    .update(agentMarker({ ...ref, workspace: realWorkspace(ref.workspace) }))
    .digest('hex')
    .slice(0, 16)}`
}

/** An entry's record when it is complete and a cgroup in it has this agent's name. It does not prove a subreaper (`subreaperOf`). */
export function recordedContainment(ref: AgentRef, entry: AgentEntry): Contained | undefined {
  const subreaper = recordedSubreaper(entry)
  if (subreaper) return { by: 'tini', ...subreaper }
  const { by, path: folder } = isJson(entry.contained) ? (entry.contained as Record<string, unknown>) : {}
  if (by !== 'cgroup' || typeof folder !== 'string' || !isCgroup(folder)) return undefined
  const name = path.basename(folder)
  const isOurs =
    name === cgroupName(ref) ||
    recordedWorkspaces(ref, entry).some(workspace => name === cgroupName({ ...ref, workspace }))
  return isOurs ? { by, path: folder } : undefined
}

/** The process that an entry names as the agent's subreaper: a hint that `subreaperOf` checks. */
export function recordedSubreaper({ contained }: AgentEntry): Identity | undefined {
  if (!isJson(contained)) return undefined
  const { by, pid, start } = contained as Record<string, unknown>
  return by === 'tini' && isNumber(pid) && pid > 1 && isNumber(start) ? { pid, start } : undefined
}

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value)
