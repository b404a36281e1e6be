import { isDeepStrictEqual } from 'node:util'
import type { Json } from '../platform/files/json.ts'
import type { AgentEntry } from './entries.ts'
import type { AgentRef } from './layout.ts'
import { isTerminal } from './lifecycle.ts'
import { changeGlobal, peekGlobalRegistry, peekTaskRegistry, requireAgent } from './registry.ts'

/** The fields of an agent's entry that the global registry repeats, so that one file shows which agents are live. */
const SYNCED_FIELDS = [
  'type',
  'parent',
  'status',
  'started_at',
  'completed_at',
  'reason',
  'tmux_session',
  'deployed_on',
  'cleanup',
]

/**
 * Updates the global registry from an agent's entry in the task's registry. `ahead` modifies a copy of that entry first, for a
 * change that is written to the task's registry afterwards.
 */
export async function syncGlobal(
  ref: AgentRef,
  ahead: (entry: AgentEntry) => void = () => {},
): Promise<void> {
  // Another orchestrator may keep no global registry. Then there is nothing to update.
  if (isSynced(ref, ahead)) return
  await changeGlobal(ref.workspace, global => {
    // The entry is read under the global lock, so the last writer always writes the newest version.
    const copy = copyOf(ref, ahead)
    const listed = global.agents[ref.agentId]
    if (!isLiveNamesake(listed, copy)) global.agents[ref.agentId] = { ...listed, ...copy }
  })
}

function isSynced(ref: AgentRef, ahead: (entry: AgentEntry) => void): boolean {
  const global = peekGlobalRegistry(ref.workspace)
  if (!global) return true
  const listed = global.agents[ref.agentId]
  const copy = copyOf(ref, ahead)
  const isSame = Object.entries(copy).every(([field, value]) => isDeepStrictEqual(listed?.[field], value))
  return isSame || isLiveNamesake(listed, copy)
}

/** The global registry has one entry per id. The end of an agent must not overwrite a live one of the same id in another task. */
function isLiveNamesake(listed: Json | undefined, copy: Json): boolean {
  const isOther = listed?.task_id !== undefined && listed.task_id !== copy.task_id
  return isOther && !isTerminal(listed.status) && isTerminal(copy.status)
}

function copyOf(ref: AgentRef, ahead: (entry: AgentEntry) => void): Json {
  const entry = structuredClone(requireAgent(peekTaskRegistry(ref.workspace, ref.taskId), ref))
  ahead(entry)
  const copied = SYNCED_FIELDS.filter(field => entry[field] !== undefined).map(field => [field, entry[field]])
  return { task_id: ref.taskId, ...Object.fromEntries(copied) }
}
