import type { AgentEntry } from '../registry/entries.ts'
import { agentOfMarker } from '../registry/layout.ts'
import { isTerminal } from '../registry/lifecycle.ts'
import { namesAgent } from '../registry/marker.ts'
import { everyEntry, listTasks, peekTaskRegistry } from '../registry/registry.ts'
import { toldTime } from '../registry/timestamps.ts'
import type { AgentPane } from '../tmux/locate.ts'
import { recordedTmux, tmuxVariable, toldSession } from '../tmux/recorded.ts'
import { LATE_MS } from './age.ts'
import type { Scene } from './observation.ts'
import { hasAgentsName, markerOf, otherLogs, ownPanes, type PaneOf } from './own-panes.ts'
import { panesOfProcesses } from './panes.ts'

/**
 * A scene without what is not the agent's alone. What the registry says of a session is a hint: names are used again, by
 * another task, another workspace, the next run; a session may be home to several agents, or to a user; and the agent
 * can write there what it likes. So a session is the agent's if it has an agent's name, or if in every pane of it something
 * is the agent's own (own-panes.ts), and nothing says otherwise. Of any other, only such panes are, and the session is
 * left as it is. Throws for a registry that may say so and cannot be read.
 */
export function withoutOthers(scene: Scene): Scene {
  const { where } = scene
  if (!where.session || isVouchedFor(scene)) return scene
  const paneOf = panesOfProcesses(scene)
  const own = ownPanes(scene, paneOf)
  const why = whyOthers(scene, paneOf, own)
  if (why === undefined) return scene
  const { id, name } = where.session
  const panes = where.panes.filter(pane => own.has(pane.id))
  const only = panes.length > 0 ? `more than pane ${[...own].join(', ')} of it` : 'more than the name of it'
  const namesake = `The session ${name} (${id}) is left alone, because nothing says that ${only} is the agent’s: ${why}.`
  return { ...scene, namesake: { id, why: namesake }, where: { ...where, session: undefined, panes } }
}

/** A recorded session with the agent's name and its marker in a pane: as good as all are, and told at little cost. */
function isVouchedFor(scene: Scene): boolean {
  const { where, table } = scene
  const isMarked = namesAgent(scene.ref)
  return (
    recordedTmux(scene.entry) !== undefined &&
    hasAgentsName(scene) &&
    where.panes.some(({ pid, dead }) => !dead && isMarked(table.get(pid)?.environment.marker))
  )
}

function whyOthers(scene: Scene, paneOf: PaneOf, own: ReadonlySet<string>): string | undefined {
  const { where, entry } = scene
  const isNamed = hasAgentsName(scene)
  const recorded = recordedTmux(entry)
  if (!recorded && toldSession(entry).isPart) return `its entry names only ${entry.tmux_session}`
  const others = where.panes.filter(pane => !own.has(pane.id))
  if (others.length === 0) return undefined
  // Of one that the server knows by all that was recorded, neither time nor another's window says anything.
  if (recorded && isNamed) return own.size > 0 ? undefined : whyAnothers(scene, paneOf, others)
  const why = whyAnothers(scene, paneOf, others) ?? whyByTime(scene, own) ?? livingNamesake(scene)
  return why ?? (isNamed ? undefined : 'the registry alone names it')
}

/** What in a session is another agent's, or the user's. */
function whyAnothers(scene: Scene, paneOf: PaneOf, others: readonly AgentPane[]): string | undefined {
  const isRecorded = recordedTmux(scene.entry) !== undefined
  const isOwn = namesAgent(scene.ref)
  for (const pane of others) {
    const marker = markerOf(scene, scene.table.get(pane.pid))
    if (!isOwn(marker) && agentOfMarker(marker ?? ''))
      return `process ${pane.pid} in it carries LEAKRIG_AGENT=${marker}`
    if (!isRecorded && isFromElsewhere(scene, pane)) return `pane ${pane.id} was born in another session`
  }
  const [other] = otherLogs(scene, paneOf)
  return other && `process ${other.pid} in it writes ${other.log}`
}

/** tmux gives a pane's process the number of the session it is born in. */
function isFromElsewhere({ where, table }: Scene, { pid, dead }: AgentPane): boolean {
  const tmux = dead ? undefined : table.get(pid)?.environment.tmux
  const { server, session } = where
  return tmux !== undefined && server !== undefined && session !== undefined
    ? tmux.startsWith(`${where.socket},${server.pid},`) &&
        tmux !== tmuxVariable(where.socket, server.pid, session.id)
    : false
}

function whyByTime({ entry, where }: Scene, own: ReadonlySet<string>): string | undefined {
  const created = (where.session?.created ?? Number.NaN) * 1_000
  if (created + LATE_MS < toldTime(entry.started_at).earliest) return 'it was there long before the agent'
  if (own.size === 0 && created > endOf(entry)) return 'it was created after the agent had ended'
  return undefined
}

/** When an agent had ended for certain, in ms since 1970. NaN when that is not known, or when the entry may tell an earlier life's. */
function endOf({ status, started_at, completed_at, terminated_at }: AgentEntry): number {
  const { latest } = toldTime(isTerminal(status) ? (completed_at ?? terminated_at) : undefined)
  return toldTime(started_at).earliest > latest ? Number.NaN : latest
}

/**
 * An agent of any task of the workspace that lives, and whose session is the same. One of the same id that began earlier is
 * none: on one server a session's name is given once, so the later one has it, and the entry of the other is stale.
 */
function livingNamesake({ ref, entry }: Scene): string | undefined {
  const { name } = toldSession(entry)
  for (const taskId of listTasks(ref.workspace)) {
    const other = everyEntry(peekTaskRegistry(ref.workspace, taskId)).find(
      agent =>
        !isTerminal(agent.status) &&
        toldSession(agent).name === name &&
        (taskId !== ref.taskId || agent.id !== ref.agentId) &&
        !(agent.id === ref.agentId && isEarlier(agent, entry)),
    )
    if (other) return `${taskId}/${other.id}, which lives, has a session of that name`
  }
  return undefined
}

const isEarlier = (one: AgentEntry, other: AgentEntry): boolean =>
  toldTime(one.started_at).latest < toldTime(other.started_at).earliest
