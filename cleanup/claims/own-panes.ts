import type { SeenProcess } from '../platform/processes/table.ts'
import { namesAgent } from '../registry/marker.ts'
import { namedSession, tmuxVariable } from '../tmux/recorded.ts'
import { isOlder } from './age.ts'
import { isStreamLog, logWriters } from './log-writers.ts'
import type { Observation } from './observation.ts'

/** In which pane of the session each process runs, by pid. */
export type PaneOf = ReadonlyMap<number, string>

/**
 * True for a session that is named as an agent's is: `agent_<id>`. No other name counts, not even one with the id in it:
 * the agent chooses its id in the registry, and can choose it to fit a name of the user's.
 */
export function hasAgentsName({ location: { session }, ref, sessionName }: Observation): boolean {
  return session?.name === (sessionName ?? namedSession({ id: ref.agentId }).name)
}

/** The panes in which a process carries the agent's marker, or writes its log, and none writes another's. */
export function ownPanes(observation: Observation, paneOf: PaneOf): ReadonlySet<string> {
  const isYoung = (pid: number) => !isOlder(observation, observation.table.get(pid))
  const writers = logWriters(observation.openFiles, observation.log).filter(({ pid }) => isYoung(pid))
  const pids = [...writers.map(({ pid }) => pid), ...markedIn(observation, paneOf)]
  const own = new Set(pids.flatMap(pid => paneOf.get(pid) ?? []))
  for (const { pane } of otherLogs(observation, paneOf)) own.delete(pane)
  return own
}

function markedIn(observation: Observation, paneOf: PaneOf): number[] {
  const isOwn = namesAgent(observation.ref)
  const marked = [...paneOf.keys()].filter(pid => isOwn(markerOf(observation, observation.table.get(pid))))
  return hasAgentsName(observation) || isFromSession(observation, new Set(marked)) ? marked : []
}

/**
 * Whether it is this session that hands the marker on. A deploy gives it to a session at its birth, so every pane that was
 * born there has it, and nothing else on the server. Who sets it later, for a user's session or for the whole server,
 * leaves panes without it, or with it elsewhere.
 */
function isFromSession({ ref, location, table }: Observation, marked: ReadonlySet<number>): boolean {
  const { server, session, socket, panes } = location
  if (!server || !session) return false
  const isMarked = namesAgent(ref)
  const own = tmuxVariable(socket, server.pid, session.id)
  const isElsewhere = ({ environment: { tmux, marker } }: SeenProcess) =>
    tmux?.startsWith(`${socket},${server.pid},`) === true && tmux !== own && isMarked(marker)
  const isUnmarked = ({ pid, dead }: (typeof panes)[number]) =>
    !dead && table.get(pid)?.environment.tmux === own && !marked.has(pid)
  return !panes.some(isUnmarked) && ![...table.values()].some(isElsewhere)
}

/** The logs of other agents that are written in these panes. */
export function otherLogs(
  { openFiles, log: own }: Observation,
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

/** The marker in a process's environment, unless it is its server's: one that an agent has started hands its marker on to all. */
export function markerOf(
  { location, table }: Observation,
  process: SeenProcess | undefined,
): string | undefined {
  const marker = process?.environment.marker
  return marker === table.get(location.server?.pid ?? -1)?.environment.marker ? undefined : marker
}
