import type { Machine } from '../../platform/processes/table.ts'
import type { AgentRef } from '../../registry/layout.ts'
import { locate } from '../../tmux/locate.ts'
import type { Observation } from '../observation.ts'
import { findSharedServers } from '../shared-servers.ts'
import type { LeftoverProcess } from './processes.ts'

/** The agents that no registry lists and that the markers of leftover processes name. */
export function unlistedAgents(processes: readonly LeftoverProcess[]): AgentRef[] {
  const all = processes.flatMap(({ unlisted }) => unlisted ?? [])
  return [...new Map(all.map(ref => [`${ref.workspace}/${ref.taskId}/${ref.agentId}`, ref])).values()]
}

/** No session has this name, so none is taken for the agent's: unlisted sessions are found and ended by themselves. */
const NO_SESSION = ''

/** Observes an agent that no registry lists. Nothing but its marker ties anything to it, by the same rules as for any agent. */
export async function observeUnlisted(ref: AgentRef, machine: Machine): Promise<Observation> {
  const entry = { id: ref.agentId, status: 'running', tmux_session: NO_SESSION }
  const observation = {
    ref,
    entry,
    agents: [entry],
    // A log in no folder: an open file proves nothing about an agent that nobody lists.
    log: `/${ref.agentId}_stream.jsonl`,
    location: await locate(entry),
    contained: { noted: new Map() },
    ...machine,
    guests: [],
    sharedServers: [],
  }
  return { ...observation, ...(await findSharedServers(observation)) }
}
