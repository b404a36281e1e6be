import { isDeepStrictEqual } from 'node:util'
import type { Json } from '../platform/files/json.ts'
import { copyMember, getOwn, setOwn } from '../platform/json/spelling.ts'
import type { AgentEntry, GlobalRegistry } from './entries.ts'
import type { AgentRef } from './layout.ts'
import { isTerminal } from './lifecycle.ts'
import { changeGlobal, peekAgent, peekGlobalRegistry } from './registry.ts'
import { readSpelledAgent } from './spelled-agent.ts'

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
    const cached = copyOf(ref, ahead)
    const copy = hasNumber(cached) ? copyOf(ref, ahead, readSpelledAgent) : cached
    const listed = entryOf(global, ref)
    if (isLiveNamesake(listed, copy)) return
    const entry = listed ?? {}
    for (const field of Object.keys(copy)) copyMember(copy, entry, field)
    setOwn(global.agents, ref.agentId, entry)
  })
}

function isSynced(ref: AgentRef, ahead: (entry: AgentEntry) => void): boolean {
  const global = peekGlobalRegistry(ref.workspace)
  if (!global) return true
  const listed = entryOf(global, ref)
  const copy = copyOf(ref, ahead)
  const isSame = Object.entries(copy).every(([field, value]) => isDeepStrictEqual(listed?.[field], value))
  return isSame || isLiveNamesake(listed, copy)
}

/** The global registry has one entry per id. The end of an agent must not overwrite a live one of the same id in another task. */
function isLiveNamesake(listed: Json | undefined, copy: Json): boolean {
  const isOther = listed?.task_id !== undefined && listed.task_id !== copy.task_id
  return isOther && !isTerminal(listed.status) && isTerminal(copy.status)
}

/** An agent's id may be `constructor` or `__proto__`. */
const entryOf = (global: GlobalRegistry, { agentId }: AgentRef): Json | undefined =>
  getOwn(global.agents, agentId) as Json | undefined

function copyOf(ref: AgentRef, ahead: (entry: AgentEntry) => void, read = cachedAgent): Json {
  const entry = read(ref)
  ahead(entry)
  const copy: Json = { task_id: ref.taskId }
  for (const field of SYNCED_FIELDS) if (entry[field] !== undefined) copyMember(entry, copy, field)
  return copy
}

const cachedAgent = (ref: AgentRef): AgentEntry => structuredClone(peekAgent(ref))

/** True when a value has a number that another program may have written. Those of a cleaner are ours. */
function hasNumber(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'number'
  return Object.entries(value).some(([key, inner]) => key !== 'cleaner' && hasNumber(inner))
}
