import { parseExactly } from '../../json.ts'
import type { Rig } from '../../rig/rig.ts'
import { OTHERS_AGENT, OTHERS_FIELD } from '../../snapshot/others-values.ts'
import { reportWorkspace } from '../report-workspace.ts'

/** A value that JavaScript does not write as it was: it rounds two of its numbers, and spells others in another way. */
const value = String.raw`{
  "seen_ns": 1764398123456789123, "version": 1.0, "budget": 12345678901234567890123456, "z": null,
  "nested": { "b": [0.10, -0.0, 1e3], "a": "caf\u00e9" }
}`

/**
 * Plants what other programs keep in the registries: a field beside those of the system, and an entry for an agent of
 * their own that ended, with such a field. Before the first deploy, while the system writes nothing. A system that has no
 * registry yet is left without.
 */
export async function plantRegistryEntries(rig: Rig): Promise<void> {
  const { probe, values } = rig
  if (values.task === undefined) return
  const { taskRegistry, globalRegistry, task } = reportWorkspace(rig)
  for (const file of [taskRegistry, globalRegistry]) {
    const text = await probe.read(file)
    if (text !== undefined) await probe.write(file, withOthers(text, task))
  }
}

function withOthers(text: string, taskId: string): string {
  const registry = parseExactly(text)
  const at = '2025-11-29T06:00:00Z'
  const entry = {
    id: OTHERS_AGENT,
    task_id: taskId,
    type: 'reviewer',
    status: 'completed',
    tmux_session: `agent_${OTHERS_AGENT}`,
    started_at: at,
    completed_at: at,
    last_update: at,
    cleanup: { state: 'done', at },
    [OTHERS_FIELD]: parseExactly(value),
  }
  registry[OTHERS_FIELD] = parseExactly(value)
  if (Array.isArray(registry.agents)) registry.agents.push(entry)
  else registry.agents = { ...registry.agents, [OTHERS_AGENT]: entry }
  return JSON.stringify(registry, null, 2)
}
