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
 * Whether something of an agent may run that was cleaned up: its recorded session is there, or a program has its marker, which
 * somebody has started again, or which came after its end. Only a hint: the claims say whether it is so. A session that has only the agent's name
 * is none; another one may be called so.
 */
export async function mayRunAgain(agent: AgentRef, entry: AgentEntry): Promise<boolean> {
  const isOwn = namesAgent(agent)
  // Of one that is done nobody needs to know that its tmux cannot be asked.
  const asking = recordedTmux(entry) && locate(entry).catch(() => undefined)
  const [location, table] = await Promise.all([asking, readTable()])
  const isMarked = [...table.values()].some(seen => isOwn(seen.environment.marker) && !hasEnded(seen))
  return isMarked || (location?.recorded !== undefined && location.session !== undefined)
}

/** Notes that an agent is to be cleaned up once more, unless it was deployed anew or somebody else has done so. */
export function reopen(agent: AgentRef, cleanedUpAt: string): Promise<void> {
  return changeAgent(agent, entry => {
    if (isDone(entry) && finishedAt(entry) === cleanedUpAt) reopenCleanup(entry)
  })
}

/** When an agent was cleaned up, as its entry says; empty when it does not. */
export const finishedAt = ({ cleanup }: AgentEntry): string => textOf(cleanup?.finished_at)
