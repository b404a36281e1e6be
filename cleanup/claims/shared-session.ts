import type { AgentEntry } from '../registry/entries.ts'
import { agentOfMarker } from '../registry/layout.ts'
import { isTerminal } from '../registry/lifecycle.ts'
import { namesAgent } from '../registry/marker.ts'
import { everyAgent } from '../registry/read-all.ts'
import { parseTimestamp } from '../registry/timestamps.ts'
import type { AgentPane } from '../tmux/locate.ts'
import { namedSession, recordedTmux, tmuxVariable } from '../tmux/recorded.ts'
import { LATE_MS, openedAfterLog } from './age.ts'
import type { Observation } from './observation.ts'
import { hasAgentsName, markerOf, otherLogs, ownPanes, type PaneOf, panesOfProcesses } from './own-panes.ts'

/**
 * Removes from an observation the session, and the panes, that are not the agent's alone. The session in the registry is
 * only a hint: names are used again, by another task, another workspace, the next run; several agents, or a user, may live
 * in one session; and the agent can write anything there. So a session is the agent's if it has the agent's name, or if
 * every pane of it holds something of the agent's own (own-panes.ts), and if nothing contradicts that. In any other session
 * only such panes are the agent's, and the session is left alone. Throws for a registry that cannot be read and may list
 * another agent of that session.
 */
export function withoutSharedSession(observation: Observation): Observation {
  const { location } = observation
  if (!location.session) return observation
  if (isVouchedFor(observation)) return withoutGuests(observation)
  const paneOf = panesOfProcesses(observation)
  const own = ownPanes(observation, paneOf)
  const why = whyOthers(observation, paneOf, own)
  if (why === undefined) return withoutGuests(observation)
  const { id, name } = location.session
  // A pane that a user split by hand has the marker too.
  const isGuest = new Set(observation.guests.map(pane => pane.id))
  const panes = location.panes.filter(pane => own.has(pane.id) && !isGuest.has(pane.id))
  const only =
    panes.length > 0 ? `more than its pane ${panes.map(pane => pane.id).join(', ')}` : 'more than its name'
  const sharedSession = `The session ${name} (${id}) is left alone, because nothing shows that ${only} is the agent’s: ${why}.`
  return {
    ...observation,
    sharedSession: { id, why: sharedSession },
    location: { ...location, session: undefined, panes },
  }
}

/** Keeps an agent's own session for the guests that it has by now; only the agent's panes in it end. */
export function withoutGuests(observation: Observation): Observation {
  const { location, guests, table } = observation
  if (!location.session || !location.server) return observation
  const { id, name } = location.session
  const own = tmuxVariable(location.socket, location.server.pid, id)
  // A pane of others that another session shows too outlives this one. One that was born here would pass for a leftover then.
  if (guests.every(({ shared, pid }) => shared && table.get(pid)?.environment.tmux !== own))
    return observation
  const isGuest = new Set(guests.map(pane => pane.id))
  const which = guests.map(pane => `${pane.id} (process ${pane.pid})`).join(', ')
  const why = `The session ${name} (${id}) is left, because others live in it: nothing shows that its pane${guests.length > 1 ? 's' : ''} ${which} began as the agent’s. "tmux -S ${location.path} list-panes -s -t '${id}'" shows them.`
  const panes = location.panes.filter(pane => !isGuest.has(pane.id))
  return {
    ...observation,
    sharedSession: { id, why, isBirthplace: true },
    location: { ...location, session: undefined, panes },
  }
}

/** True for a recorded session with the agent's name and its marker in a pane: the usual case, which costs little to check. */
function isVouchedFor(observation: Observation): boolean {
  const { location, table } = observation
  const isMarked = namesAgent(observation.ref, observation.entry)
  return (
    recordedTmux(observation.entry) !== undefined &&
    hasAgentsName(observation) &&
    location.panes.some(({ pid, dead }) => !dead && isMarked(table.get(pid)?.environment.marker))
  )
}

function whyOthers(observation: Observation, paneOf: PaneOf, own: ReadonlySet<string>): string | undefined {
  const { location, entry } = observation
  const isNamed = hasAgentsName(observation)
  const recorded = recordedTmux(entry)
  if (!recorded && namedSession(entry).isPart) return `its entry names only ${entry.tmux_session}`
  const others = location.panes.filter(pane => !own.has(pane.id))
  if (others.length === 0) return undefined
  // The server confirms everything that was recorded, so neither times nor another agent's window contradict it.
  if (recorded && isNamed) return own.size > 0 ? undefined : whyAnothers(observation, paneOf, others)
  return whyNotAgents(observation) ?? (isNamed ? undefined : 'the registry alone names it')
}

/** What shows that a session with an agent's name is another's; undefined when nothing does. */
export function whyNotAgents(observation: Observation): string | undefined {
  const paneOf = panesOfProcesses(observation)
  const own = ownPanes(observation, paneOf)
  const others = observation.location.panes.filter(pane => !own.has(pane.id))
  return (
    whyAnothers(observation, paneOf, others) ?? whyByTime(observation, own) ?? livingNamesake(observation)
  )
}

/** What shows that something in a session is another agent's, or the user's. */
function whyAnothers(
  observation: Observation,
  paneOf: PaneOf,
  others: readonly AgentPane[],
): string | undefined {
  const isRecorded = recordedTmux(observation.entry) !== undefined
  const isOwn = namesAgent(observation.ref, observation.entry)
  for (const pane of others) {
    const marker = markerOf(observation, observation.table.get(pane.pid))
    if (!isOwn(marker) && agentOfMarker(marker ?? ''))
      return `process ${pane.pid} in it carries LEAKRIG_AGENT=${marker}`
    if (!isRecorded && isFromElsewhere(observation, pane))
      return `pane ${pane.id} was born in another session`
  }
  const [other] = otherLogs(observation, paneOf)
  return other && `process ${other.pid} in it writes ${other.log}`
}

/** TMUX in a pane's process holds the id of the session that the pane was born in. */
function isFromElsewhere({ location, table }: Observation, { pid, dead }: AgentPane): boolean {
  const tmux = dead ? undefined : table.get(pid)?.environment.tmux
  const { server, session } = location
  return tmux !== undefined && server !== undefined && session !== undefined
    ? tmux.startsWith(`${location.socket},${server.pid},`) &&
        tmux !== tmuxVariable(location.socket, server.pid, session.id)
    : false
}

function whyByTime(observation: Observation, own: ReadonlySet<string>): string | undefined {
  const { entry, location } = observation
  const created = (location.session?.created ?? Number.NaN) * 1_000
  if (created + LATE_MS < parseTimestamp(entry.started_at).earliest)
    return 'it was there long before the agent'
  if (own.size > 0) return undefined
  if (created > endOf(entry)) return 'it was created after the agent had ended'
  if (location.isProven) return undefined
  if (created > parseTimestamp(entry.started_at).latest + LATE_MS)
    return 'it was created long after the agent began'
  return openedAfterLog(observation) ? 'it was created after the agent’s log was begun' : undefined
}

/** When an agent had certainly ended, in ms since 1970. NaN when that is not known, or may be the end of an earlier run. */
function endOf({ status, started_at, completed_at, terminated_at }: AgentEntry): number {
  const { latest } = parseTimestamp(isTerminal(status) ? (completed_at ?? terminated_at) : undefined)
  return parseTimestamp(started_at).earliest > latest ? Number.NaN : latest
}

/**
 * A living agent of any task of the workspace whose session has the same name. An agent of the same id that began earlier
 * does not count: a server gives a session's name once, so the later agent has it, and the earlier entry is stale.
 */
function livingNamesake({ ref, entry }: Observation): string | undefined {
  const { name } = namedSession(entry)
  const namesake = everyAgent(ref.workspace).find(
    ({ taskId, entry: other }) =>
      !isTerminal(other.status) &&
      namedSession(other).name === name &&
      (taskId !== ref.taskId || other.id !== ref.agentId) &&
      !(other.id === ref.agentId && isEarlier(other, entry)),
  )
  return namesake && `${namesake.taskId}/${namesake.entry.id}, which lives, has a session of that name`
}

const isEarlier = (one: AgentEntry, other: AgentEntry): boolean =>
  parseTimestamp(one.started_at).latest < parseTimestamp(other.started_at).earliest
