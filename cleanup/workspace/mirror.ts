import fs from 'node:fs'
import { type AgentRef, globalRegistry, taskRegistry } from './layout.ts'
import { changeGlobal, readTaskRegistry, requireAgent } from './registry.ts'
import type { TaskRegistry } from './registry-types.ts'

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

/** Brings the global registry in line with an agent's entry as it is on disk now. */
export async function mirror(ref: AgentRef): Promise<void> {
  // A registry of somebody else's may do without the global one; then there is nothing to keep in line.
  if (!fs.existsSync(globalRegistry(ref.workspace))) return
  await changeGlobal(ref.workspace, global => {
    // Read here, under the global lock: whoever mirrors last mirrors the newest, in whatever order the writers arrive.
    const entry = requireAgent(readOnce(ref.workspace, ref.taskId), ref)
    const copied = MIRRORED.filter(field => entry[field] !== undefined).map(field => [field, entry[field]])
    const known = global.agents[ref.agentId]
    global.agents[ref.agentId] = { ...known, task_id: ref.taskId, ...Object.fromEntries(copied) }
  })
}

const readNow = new Map<string, TaskRegistry>()

/** Reads a task's registry once for all changes that are applied in one go. What is returned must not be altered. */
function readOnce(workspace: string, taskId: string): TaskRegistry {
  const file = taskRegistry(workspace, taskId)
  const known = readNow.get(file)
  if (known) return known
  const registry = readTaskRegistry(workspace, taskId)
  readNow.set(file, registry)
  queueMicrotask(() => readNow.delete(file))
  return registry
}
