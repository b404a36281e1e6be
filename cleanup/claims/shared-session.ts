import type { AgentEntry } from '../registry/entries.ts'
import { agentOfMarker } from '../registry/layout.ts'
import { isTerminal } from '../registry/lifecycle.ts'
import { namesAgent } from '../registry/marker.ts'
import { everyEntry, listTasks, peekTaskRegistry } from '../registry/registry.ts'
import { parseTimestamp } from '../registry/timestamps.ts'
import type { AgentPane } from '../tmux/locate.ts'
import { namedSession, recordedTmux, tmuxVariable } from '../tmux/recorded.ts'
import { LATE_MS } from './age.ts'
import type { Observation } from './observation.ts'
import { hasAgentsName, markerOf, otherLogs, ownPanes, type PaneOf } from './own-panes.ts'
import { panesOfProcesses } from './panes.ts'

/**
 * A scene without what is not the agent's alone. What the registry says of a session is a hint: names are used again, by
 * another task, another workspace, the next run; a session may be home to several agents, or to a user; and the agent
 * can write there what it likes. So a session is the agent's if it has an agent's name, or if in every pane of it something
 * is the agent's own (own-panes.ts), and nothing says otherwise. Of any other, only such panes are, and the session is
 * left as it is. Throws for a registry that may say so and cannot be read.
 */
export function withoutSharedSession(observation: Observation): Observation {
  const { location } = observation
  if (!location.session || isVouchedFor(observation)) return observation
  const paneOf = panesOfProcesses(observation)
  const own = ownPanes(observation, paneOf)
  const why = whyOthers(observation, paneOf, own)
  if (why === undefined) return observation
  const { id, name } = location.session
  const panes = location.panes.filter(pane => own.has(pane.id))
  const only = panes.length > 0 ? `more than pane ${[...own].join(', ')} of it` : 'more than the name of it'
  const sharedSession = `The session ${name} (${id}) is left alone, because nothing says that ${only} is the agent’s: ${why}.`
  return {
    ...observation,
    sharedSession: { id, why: sharedSession },
    location: { ...location, session: undefined, panes },
  }
}

/** A recorded session with the agent's name and its marker in a pane: as good as all are, and told at little cost. */
function isVouchedFor(observation: Observation): boolean {
  const { location, table } = observation
  const isMarked = namesAgent(observation.ref)
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
  // Of one that the server knows by all that was recorded, neither time nor another's window says anything.
  if (recorded && isNamed) return own.size > 0 ? undefined : whyAnothers(observation, paneOf, others)
  const why =
    whyAnothers(observation, paneOf, others) ?? whyByTime(observation, own) ?? livingNamesake(observation)
  return why ?? (isNamed ? undefined : 'the registry alone names it')
}

/** What in a session is another agent's, or the user's. */
function whyAnothers(
  observation: Observation,
  paneOf: PaneOf,
  others: readonly AgentPane[],
): string | undefined {
  const isRecorded = recordedTmux(observation.entry) !== undefined
  const isOwn = namesAgent(observation.ref)
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

/** tmux gives a pane's process the number of the session it is born in. */
function isFromElsewhere({ location, table }: Observation, { pid, dead }: AgentPane): boolean {
  const tmux = dead ? undefined : table.get(pid)?.environment.tmux
  const { server, session } = location
  return tmux !== undefined && server !== undefined && session !== undefined
    ? tmux.startsWith(`${location.socket},${server.pid},`) &&
        tmux !== tmuxVariable(location.socket, server.pid, session.id)
    : false
}

function whyByTime({ entry, location }: Observation, own: ReadonlySet<string>): string | undefined {
  const created = (location.session?.created ?? Number.NaN) * 1_000
  if (created + LATE_MS < parseTimestamp(entry.started_at).earliest)
    return 'it was there long before the agent'
  if (own.size === 0 && created > endOf(entry)) return 'it was created after the agent had ended'
  return undefined
}

/** When an agent had ended for certain, in ms since 1970. NaN when that is not known, or when the entry may tell an earlier life's. */
function endOf({ status, started_at, completed_at, terminated_at }: AgentEntry): number {
  const { latest } = parseTimestamp(isTerminal(status) ? (completed_at ?? terminated_at) : undefined)
  return parseTimestamp(started_at).earliest > latest ? Number.NaN : latest
}

/**
 * An agent of any task of the workspace that lives, and whose session is the same. One of the same id that began earlier is
 * none: on one server a session's name is given once, so the later one has it, and the entry of the other is stale.
 */
function livingNamesake({ ref, entry }: Observation): string | undefined {
  const { name } = namedSession(entry)
  for (const taskId of listTasks(ref.workspace)) {
    const other = everyEntry(peekTaskRegistry(ref.workspace, taskId)).find(
      agent =>
        !isTerminal(agent.status) &&
        namedSession(agent).name === name &&
        (taskId !== ref.taskId || agent.id !== ref.agentId) &&
        !(agent.id === ref.agentId && isEarlier(agent, entry)),
    )
    if (other) return `${taskId}/${other.id}, which lives, has a session of that name`
  }
  return undefined
}

const isEarlier = (one: AgentEntry, other: AgentEntry): boolean =>
  parseTimestamp(one.started_at).latest < parseTimestamp(other.started_at).earliest
