import { textOf } from '../platform/files/json.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { readTable } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { isDone } from '../registry/lifecycle.ts'
import { namesAgent } from '../registry/marker.ts'
import { changeAgent, reopenCleanup } from '../registry/update.ts'
import { locate } from '../tmux/locate.ts'
import { recordedTmux } from '../tmux/recorded.ts'

/**
 * Whether something of an agent may run although it was cleaned up: its recorded session is there, or a process carries its
 * marker, because somebody has started it again or it came after the agent's end. Only a hint: the claims decide. A session
 * that only has the agent's name does not count, because another one may be called so.
 */
export async function mayRunAgain(agent: AgentRef, entry: AgentEntry): Promise<boolean> {
  const isOwn = namesAgent(agent, entry)
  // The agent's cleanup is done, so it does not matter if tmux cannot be queried.
  const locating = recordedTmux(entry) && locate(entry).catch(() => undefined)
  const [location, table] = await Promise.all([locating, readTable()])
  const isMarked = [...table.values()].some(one => isOwn(one.environment.marker) && !hasEnded(one))
  return isMarked || (location?.recorded !== undefined && location.session !== undefined)
}

/** Records that an agent is to be cleaned up once more, unless it was deployed again or somebody else has cleaned it up since. */
export function reopen(agent: AgentRef, cleanedUpAt: string): Promise<void> {
  return changeAgent(agent, entry => {
    if (isDone(entry) && finishedAt(entry) === cleanedUpAt) reopenCleanup(entry)
  })
}

/** When an agent was cleaned up, by its entry; empty where the entry has no such time. */
export const finishedAt = ({ cleanup }: AgentEntry): string => textOf(cleanup?.finished_at)
