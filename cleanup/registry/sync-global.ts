import { isDeepStrictEqual } from 'node:util'
import type { Json } from '../platform/files/json.ts'
import type { AgentEntry } from './entries.ts'
import type { AgentRef } from './layout.ts'
import { isTerminal } from './lifecycle.ts'
import { changeGlobal, peekGlobalRegistry, peekTaskRegistry, requireAgent } from './registry.ts'

/** What the global registry repeats of an agent's entry, so that one file tells who is alive. */
const SYNCED_FIELDS = [
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
export async function syncGlobal(
  ref: AgentRef,
  ahead: (entry: AgentEntry) => void = () => {},
): Promise<void> {
  // A registry of somebody else's may do without the global one; then there is nothing to keep in line.
  if (isSynced(ref, ahead)) return
  await changeGlobal(ref.workspace, global => {
    // Read here, under the global lock: whoever mirrors last mirrors the newest, in whatever order the writers arrive.
    const copy = copyOf(ref, ahead)
    const known = global.agents[ref.agentId]
    if (!isOfLivingNamesake(known, copy)) global.agents[ref.agentId] = { ...known, ...copy }
  })
}

function isSynced(ref: AgentRef, ahead: (entry: AgentEntry) => void): boolean {
  const global = peekGlobalRegistry(ref.workspace)
  if (!global) return true
  const known = global.agents[ref.agentId]
  const copy = copyOf(ref, ahead)
  const isSame = Object.entries(copy).every(([field, value]) => isDeepStrictEqual(known?.[field], value))
  return isSame || isOfLivingNamesake(known, copy)
}

/** One entry stands for all agents of that id; the end of one is not to be taken for that of another task's, which lives. */
function isOfLivingNamesake(known: Json | undefined, copy: Json): boolean {
  const isOther = known?.task_id !== undefined && known.task_id !== copy.task_id
  return isOther && !isTerminal(known.status) && isTerminal(copy.status)
}

function copyOf(ref: AgentRef, ahead: (entry: AgentEntry) => void): Json {
  const entry = structuredClone(requireAgent(peekTaskRegistry(ref.workspace, ref.taskId), ref))
  ahead(entry)
  const copied = SYNCED_FIELDS.filter(field => entry[field] !== undefined).map(field => [field, entry[field]])
  return { task_id: ref.taskId, ...Object.fromEntries(copied) }
}
