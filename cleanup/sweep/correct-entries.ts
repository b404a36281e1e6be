import type { StaleEntry } from '../claims/leftovers/entries.ts'
import { messageOf } from '../errors.ts'
import { isTerminal } from '../registry/lifecycle.ts'
import { changeGlobal } from '../registry/registry.ts'
import { syncGlobal } from '../registry/sync-global.ts'
import { type CleanupResult, registerAction } from './actions.ts'

/** Gives stale entries of the global registry their agents' status. Returns a write that failed as a problem. */
export async function correctStaleEntries(
  workspace: string,
  entries: readonly StaleEntry[],
): Promise<CleanupResult> {
  try {
    // All at once, so that they share the writes of the one registry.
    const listed = entries.filter(({ isListed }) => isListed)
    await Promise.all(listed.map(({ taskId, agentId }) => syncGlobal({ workspace, taskId, agentId })))
    const unlisted = entries.filter(({ isListed }) => !isListed)
    if (unlisted.length > 0)
      await changeGlobal(workspace, ({ agents }) => {
        for (const { agentId, to, why } of unlisted)
          if (agents[agentId] && !isTerminal(agents[agentId].status))
            Object.assign(agents[agentId], { status: to, reason: why })
      })
    const actions = entries.map(entry => registerAction(entry, entry.to))
    return { outcome: 'clean', actions, problems: [] }
  } catch (error) {
    return { outcome: 'failed', actions: [], problems: [messageOf(error)] }
  }
}
