import { isDeepStrictEqual } from 'node:util'
import type { AgentEntry } from './entries.ts'
import { type AgentRef, validateRef } from './layout.ts'
import { changeTask, requireAgent } from './registry.ts'
import { syncGlobal } from './sync-global.ts'

/**
 * Changes an agent's entry in the task's registry under the lock, then updates the global registry. `change` modifies the
 * newest entry; when it throws, nothing is written and the error is passed on. A place in tmux that is recorded after the
 * end, because the end overtook the deploy, makes the cleanup pending again. Throws a CleanupError (`unknown-agent`).
 */
export async function updateAgent(ref: AgentRef, change: (entry: AgentEntry) => void): Promise<void> {
  await changeAgent(ref, entry => {
    const before = structuredClone(entry.tmux)
    change(entry)
    if (entry.tmux && !isDeepStrictEqual(entry.tmux, before)) reopenCleanup(entry)
  })
  await syncGlobal(ref)
}

/** Every cleaner skips an agent whose cleanup is done, so an agent that may run after all must be pending again. */
export function reopenCleanup(entry: AgentEntry): void {
  if (entry.cleanup?.state !== 'done') return
  delete entry.cleanup.finished_at
  entry.cleanup.state = 'pending'
}

/** `updateAgent` in the task's registry only, without the check of tmux. */
export async function changeAgent(ref: AgentRef, change: (entry: AgentEntry) => void): Promise<void> {
  validateRef(ref)
  await changeTask(ref.workspace, ref.taskId, registry => {
    const entry = requireAgent(registry, ref)
    change(entry)
    entry.last_update = new Date().toISOString()
  })
}
