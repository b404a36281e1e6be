import { isSameFile } from '../platform/files/real-path.ts'
import { shareTerminals } from '../platform/processes/namespaces.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import { namesAgent } from '../registry/marker.ts'
import { namedSession, tmuxVariable } from '../tmux/recorded.ts'
import { isOlder } from './age.ts'
import { isStreamLog, logWriters } from './log-writers.ts'
import type { Observation } from './observation.ts'

/** The pane of the session that each process runs in, by pid. */
export type PaneOf = ReadonlyMap<number, string>

/**
 * True for a session that has the agent's name, `agent_<id>`. No other name counts, not even one with the id in it: the
 * agent chooses its id in the registry, and can choose one that fits the name of a user's session.
 */
export function hasAgentsName({ location: { session }, ref, sessionName }: Observation): boolean {
  return session?.name === (sessionName ?? namedSession({ id: ref.agentId }).name)
}

/** The panes in which a process carries the agent's marker or writes its log, and no process writes another agent's. */
export function ownPanes(observation: Observation, paneOf: PaneOf): ReadonlySet<string> {
  const isYoung = (pid: number) => !isOlder(observation, observation.table.get(pid))
  const writers = logWriters(observation.openFiles, observation.log).filter(({ pid }) => isYoung(pid))
  const pids = [...writers.map(({ pid }) => pid), ...markedIn(observation, paneOf)]
  const own = new Set(pids.flatMap(pid => paneOf.get(pid) ?? []))
  for (const { pane } of otherLogs(observation, paneOf)) own.delete(pane)
  return own
}

function markedIn(observation: Observation, paneOf: PaneOf): number[] {
  const isOwn = namesAgent(observation.ref, observation.entry)
  const marked = [...paneOf.keys()].filter(pid => isOwn(markerOf(observation, observation.table.get(pid))))
  return hasAgentsName(observation) || isFromSession(observation, new Set(marked)) ? marked : []
}

/**
 * True when the session itself hands the marker on. A deploy gives the marker to a session at its birth, so every pane that
 * was born there has it, and nothing else on the server. A marker that was set later, for a user's session or for the whole
 * server, leaves panes without it, or with it elsewhere.
 */
function isFromSession({ ref, entry, location, table }: Observation, marked: ReadonlySet<number>): boolean {
  const { server, session, panes } = location
  if (!server || !session) return false
  const own = tmuxVariable(location.socket, server.pid, session.id)
  const isUnmarkedPane = ({ pid, dead }: (typeof panes)[number]) =>
    !dead && table.get(pid)?.environment.tmux === own && !marked.has(pid)
  return !panes.some(isUnmarkedPane) && !isMarkedElsewhere(table, own, namesAgent(ref, entry))
}

/** True when the session hands the agent's marker to everything that was born in it, and the server to nothing else. */
export function isMarkedByDeploy(observation: Observation): boolean {
  const isOwn = namesAgent(observation.ref, observation.entry)
  const marked = [...panesOfProcesses(observation).keys()].filter(pid =>
    isOwn(markerOf(observation, observation.table.get(pid))),
  )
  return marked.length > 0 && isFromSession(observation, new Set(marked))
}

/** True when a process that the same tmux server started outside the session `own`, a value of TMUX, carries the marker. */
export function isMarkedElsewhere(
  table: ProcessTable,
  own: string,
  isMarked: (marker: string | undefined) => boolean,
): boolean {
  const onServer = own.slice(0, own.lastIndexOf(',') + 1)
  return [...table.values()].some(
    ({ environment: { tmux, marker } }) =>
      tmux !== own && tmux?.startsWith(onServer) === true && isMarked(marker),
  )
}

/** The logs of other agents that processes in these panes write. */
export function otherLogs(
  { openFiles, log: own }: Observation,
  paneOf: PaneOf,
): { pane: string; pid: number; log: string }[] {
  const logs = new Set(
    [...openFiles.keys()].map(file => file.replace(/ \(deleted\)$/, '')).filter(isStreamLog),
  )
  // The own one may be open under another path.
  const others = [...logs].filter(log => !isSameFile(log, own))
  return others.flatMap(log =>
    logWriters(openFiles, log).flatMap(({ pid }) => {
      const pane = paneOf.get(pid)
      return pane === undefined ? [] : [{ pane, pid, log }]
    }),
  )
}

/** The marker in a process's environment, unless it is the server's own: a server that an agent has started hands its marker on to everything. */
export function markerOf(
  { location, table }: Observation,
  process: SeenProcess | undefined,
): string | undefined {
  const marker = process?.environment.marker
  return marker === table.get(location.server?.pid ?? -1)?.environment.marker ? undefined : marker
}

/**
 * Maps pids to the pane of a session that the process runs in: tmux started it there, it has the pane's terminal, its
 * environment names the pane, or its parent runs there.
 */
export function panesOfProcesses({ location, table }: Observation): PaneOf {
  const found = new Map<number, string>()
  const { server, session } = location
  if (!server || !session) return found
  const children = Map.groupBy(table.values(), ({ ppid }) => ppid)
  const variable = tmuxVariable(location.socket, server.pid, session.id)
  const add = ({ pid }: SeenProcess, pane: string): void => {
    if (found.has(pid)) return
    found.set(pid, pane)
    for (const child of children.get(pid) ?? []) add(child, pane)
  }
  for (const pane of location.panes) {
    const process = pane.dead ? undefined : table.get(pane.pid)
    if (process?.ppid !== server.pid) continue
    add(process, pane.id)
    for (const other of table.values()) if (hasTerminalOf(other, process)) add(other, pane.id)
  }
  const ids = new Set(location.panes.map(({ id }) => id))
  for (const process of table.values()) {
    const { tmux, pane, sharesPids } = process.environment
    if (pane !== undefined && ids.has(pane) && tmux === variable && sharesPids) add(process, pane)
  }
  return found
}

/** The terminals of different containers have the same numbers, so the namespaces are compared too. */
const hasTerminalOf = (one: SeenProcess, pane: SeenProcess): boolean =>
  one.tty !== 0 && one.tty === pane.tty && shareTerminals(pane.pid, one.pid)
