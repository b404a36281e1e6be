import { isDeepStrictEqual } from 'node:util'
import type { AgentEntry } from './entries.ts'
import { type AgentRef, validateRef } from './layout.ts'
import { changeTask, requireAgent } from './registry.ts'
import { syncGlobal } from './sync-global.ts'

/**
 * Changes one agent's entry in its task's registry under the lock, then brings the global registry in line.
 * `change` gets the newest entry and alters it; what it throws is thrown here, and nothing is written.
 * A place in tmux that comes after the end, from a deploy that was overtaken by it, is to be cleaned up as well.
 * Throws `unknown-agent` when the task has no such agent.
 */
export async function updateAgent(ref: AgentRef, change: (entry: AgentEntry) => void): Promise<void> {
  await changeAgent(ref, entry => {
    const before = structuredClone(entry.tmux)
    change(entry)
    if (entry.tmux && !isDeepStrictEqual(entry.tmux, before)) reopenCleanup(entry)
  })
  await syncGlobal(ref)
}

/** Has what was cleaned up cleaned up once more; nothing where that was not done. */
export function reopenCleanup(entry: AgentEntry): void {
  if (entry.cleanup?.state !== 'done') return
  const { finished_at: _, ...record } = entry.cleanup
  entry.cleanup = { ...record, state: 'pending' }
}

/** The same in the task's registry only. */
export async function changeAgent(ref: AgentRef, change: (entry: AgentEntry) => void): Promise<void> {
  validateRef(ref)
  await changeTask(ref.workspace, ref.taskId, registry => {
    const entry = requireAgent(registry, ref)
    change(entry)
    entry.last_update = new Date().toISOString()
  })
}
