import { createHash } from 'node:crypto'
import path from 'node:path'
import { isJson } from '../platform/files/json.ts'
import { realWorkspace } from '../platform/files/real-path.ts'
import { isCgroup } from '../platform/processes/cgroup.ts'
import type { Identity } from '../platform/processes/identity.ts'
import type { AgentEntry, Contained } from '../registry/entries.ts'
import { type AgentRef, agentMarker } from '../registry/layout.ts'

/**
 * The name of an agent's cgroup. It follows from whose it is, so that no registry can name somebody else's, and from the
 * workspace's real path, so that whoever comes by a link means the same.
 */
export function cgroupName(ref: AgentRef): string {
  return `leakrig-${createHash('sha256')
    .update(agentMarker({ ...ref, workspace: realWorkspace(ref.workspace) }))
    .digest('hex')
    .slice(0, 16)}`
}

/** The record when it is whole, and when a cgroup that it names can be this agent's. Of a process it proves nothing. */
export function recordedContainment(ref: AgentRef, entry: AgentEntry): Contained | undefined {
  const subreaper = recordedSubreaper(entry)
  if (subreaper) return { by: 'tini', ...subreaper }
  const { by, path: folder } = isJson(entry.contained) ? (entry.contained as Record<string, unknown>) : {}
  const isOurs = typeof folder === 'string' && path.basename(folder) === cgroupName(ref) && isCgroup(folder)
  return by === 'cgroup' && isOurs ? { by, path: folder } : undefined
}

/** The process that an entry names as the agent's subreaper: a hint, and no more (subreaper.ts). */
export function recordedSubreaper({ contained }: AgentEntry): Identity | undefined {
  if (!isJson(contained)) return undefined
  const { by, pid, start } = contained as Record<string, unknown>
  return by === 'tini' && isNumber(pid) && pid > 1 && isNumber(start) ? { pid, start } : undefined
}

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value)
