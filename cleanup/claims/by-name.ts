import type { SeenProcess } from '../processes/table.ts'
import type { AgentPane } from '../tmux/locate.ts'
import { recordedTmux, tmuxVariable, toldSession } from '../tmux/recorded.ts'
import { agentOfMarker } from '../workspace/layout.ts'
import { namesAgent } from '../workspace/marker.ts'
import { listTasks, peekTaskRegistry } from '../workspace/registry.ts'
import type { AgentEntry } from '../workspace/registry-types.ts'
import { isTerminal } from '../workspace/status.ts'
import { toldTime } from '../workspace/told-time.ts'
import { isOlder, LATE_MS } from './age.ts'
import { isStreamLog, logWriters } from './log-writers.ts'
import { panesOfProcesses } from './panes.ts'
import type { Scene } from './scene.ts'

/**
 * A scene without what is not the agent's alone. Of an agent whose place in tmux nobody recorded a name is all that is
 * known, and names are used again: by another task, another workspace, the next run; and a session may be home to several
 * agents, or to a user. When anything says so, only the panes in which something is the agent's own (its marker, its log)
 * are its, and the session is left as it is. Throws for a registry that may say so and cannot be read.
 */
export function withoutOthers(scene: Scene): Scene {
  const { where, entry } = scene
  if (!where.session || recordedTmux(entry)) return scene
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

type PaneOf = ReadonlyMap<number, string>

/** The panes in which a process carries the agent's marker, or writes its log, and none writes another's. */
function ownPanes(scene: Scene, paneOf: PaneOf): ReadonlySet<string> {
  const isOwn = namesAgent(scene.ref)
  const writers = logWriters(scene.openFiles, scene.log).map(({ pid }) => pid)
  const marked = [...paneOf.keys()].filter(pid => isOwn(markerOf(scene, scene.table.get(pid))))
  const isYoung = (pid: number) => !isOlder(scene, scene.table.get(pid))
  const own = new Set([...writers.filter(isYoung), ...marked].flatMap(pid => paneOf.get(pid) ?? []))
  for (const { pane } of otherLogs(scene, paneOf)) own.delete(pane)
  return own
}

/** The logs of other agents that are written in these panes. */
function otherLogs(
  { openFiles, log: own }: Scene,
  paneOf: PaneOf,
): { pane: string; pid: number; log: string }[] {
  const logs = new Set(
    [...openFiles.keys()].map(file => file.replace(/ \(deleted\)$/, '')).filter(isStreamLog),
  )
  logs.delete(own)
  return [...logs].flatMap(log =>
    logWriters(openFiles, log).flatMap(({ pid }) => {
      const pane = paneOf.get(pid)
      return pane === undefined ? [] : [{ pane, pid, log }]
    }),
  )
}

function whyOthers(scene: Scene, paneOf: PaneOf, own: ReadonlySet<string>): string | undefined {
  const { where, table, entry } = scene
  if (toldSession(entry).isPart) return `its entry names only ${entry.tmux_session}`
  const others = where.panes.filter(pane => !own.has(pane.id))
  if (others.length === 0) return undefined
  for (const pane of others) {
    const marker = markerOf(scene, table.get(pane.pid))
    if (agentOfMarker(marker ?? '')) return `process ${pane.pid} in it carries LEAKRIG_AGENT=${marker}`
    if (isFromElsewhere(scene, pane)) return `pane ${pane.id} was born in another session`
  }
  const [other] = otherLogs(scene, paneOf)
  if (other) return `process ${other.pid} in it writes ${other.log}`
  return whyByTime(scene, own) ?? livingNamesake(scene)
}

/** The marker in a process's environment, unless it is its server's: one that an agent has started hands its marker on to all. */
function markerOf({ where, table }: Scene, process: SeenProcess | undefined): string | undefined {
  const marker = process?.environment.marker
  return marker === table.get(where.server?.pid ?? -1)?.environment.marker ? undefined : marker
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
    const other = peekTaskRegistry(ref.workspace, taskId).agents.find(
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
