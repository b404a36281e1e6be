import { isDeepStrictEqual } from 'node:util'
import type { AgentRef } from './layout.ts'
import { changeGlobal, peekGlobalRegistry, peekTaskRegistry, requireAgent } from './registry.ts'
import type { Json } from './registry-file.ts'
import type { AgentEntry } from './registry-types.ts'

/** What the global registry repeats of an agent's entry, so that one file tells who is alive. */
const MIRRORED = [
  'type',
  'parent',
  'status',
  'started_at',
  'completed_at',
  'reason',
  'tmux_session',
  'cleanup',
]

/**
 * Brings the global registry in line with an agent's entry as it is on disk now, or as it is going to be on disk once
 * `ahead` was applied to a copy of it.
 */
export async function mirror(ref: AgentRef, ahead: (entry: AgentEntry) => void = () => {}): Promise<void> {
  // A registry of somebody else's may do without the global one; then there is nothing to keep in line.
  if (isMirrored(ref, ahead)) return
  await changeGlobal(ref.workspace, global => {
    // Read here, under the global lock: whoever mirrors last mirrors the newest, in whatever order the writers arrive.
    global.agents[ref.agentId] = { ...global.agents[ref.agentId], ...copyOf(ref, ahead) }
  })
}

function isMirrored(ref: AgentRef, ahead: (entry: AgentEntry) => void): boolean {
  const global = peekGlobalRegistry(ref.workspace)
  if (!global) return true
  const known = global.agents[ref.agentId]
  return Object.entries(copyOf(ref, ahead)).every(([field, value]) =>
    isDeepStrictEqual(known?.[field], value),
  )
}

function copyOf(ref: AgentRef, ahead: (entry: AgentEntry) => void): Json {
  const entry = structuredClone(requireAgent(peekTaskRegistry(ref.workspace, ref.taskId), ref))
  ahead(entry)
  const copied = MIRRORED.filter(field => entry[field] !== undefined).map(field => [field, entry[field]])
  return { task_id: ref.taskId, ...Object.fromEntries(copied) }
}
