import type { Machine } from '../../platform/processes/table.ts'
import { namedSession } from '../../tmux/recorded.ts'
import type { TmuxServer, TmuxSession } from '../../tmux/server.ts'
import type { ListedAgent } from './listed.ts'
import { findLeftoverProcesses, type LeftoverProcess } from './processes.ts'
import { ofRemovedWorkspaces } from './removed-workspaces.ts'
import { livePanes, type OfOther, whoseSession } from './sessions.ts'
import { finishedAtMs, sessionStartedAgain } from './started-again.ts'
import { mergeSuspects, type NamedSuspect } from './suspects.ts'

/** What is left of agents on the machine and no cleanup to come will end by itself. */
export interface Leftovers {
  sessions: { server: TmuxServer; session: TmuxSession; why?: string | undefined }[]
  /** Sessions named `agent_*` that are no leftovers, because they belong to other workspaces. */
  foreign: ForeignSession[]
  processes: LeftoverProcess[]
  suspects: NamedSuspect[]
}

/** A session named `agent_*` that belongs to no agent of the given workspaces. */
export interface LeftoverSession {
  name: string
  id: string
  socket: string
  /** What is known of it beyond its name, for people. */
  why?: string
}

/** A session named `agent_*` of another workspace. */
export type ForeignSession = LeftoverSession & OfOther

/** The leftover sessions, as they are shown. */
export const namesOf = ({ sessions }: Leftovers): LeftoverSession[] => sessions.map(nameOf)

const nameOf = ({ server, session: { name, id }, why }: Leftovers['sessions'][number]): LeftoverSession => ({
  ...{ name, id, socket: server.socket },
  ...(why !== undefined && { why }),
})

/**
 * Finds what is left of the agents of some workspaces (real paths): the one list that sweep, status and the metrics show.
 * `agents` are all that the registries of these workspaces list, `servers` all tmux servers that they may have lived on.
 */
export function findLeftovers(
  machine: Machine,
  agents: readonly ListedAgent[],
  workspaces: ReadonlySet<string>,
  servers: readonly TmuxServer[],
): Leftovers {
  const owned = new Set(
    agents.flatMap(({ location }) =>
      location?.server && location.session ? [`${location.server.pid} ${location.session.id}`] : [],
    ),
  )
  const ofRemoved = ofRemovedWorkspaces(machine, agents)
  const whose = whoseSession(
    workspaces,
    agents.map(({ entry }) => entry),
    machine,
    ofRemoved,
  )
  const againOf = ({ name }: TmuxSession): string | undefined => {
    const named = agents.filter(({ entry }) => [namedSession(entry).name, `agent_${entry.id}`].includes(name))
    const [latest] = named.toSorted((a, b) => finishedAtMs(b.entry) - finishedAtMs(a.entry))
    return latest && sessionStartedAgain(latest.ref, latest.entry)
  }
  const found = servers.flatMap(server =>
    server.sessions
      .filter(session => !owned.has(`${server.pid} ${session.id}`))
      .map(session => ({ server, session, whose: whose(session) })),
  )
  const sessions = found
    .filter(one => one.whose === 'leftover')
    .map(({ server, session }) => ({ server, session, why: againOf(session) }))
  const foreign = found.flatMap(one =>
    typeof one.whose === 'object' ? [{ ...nameOf(one), ...one.whose }] : [],
  )
  const processes = findLeftoverProcesses(machine, {
    agents,
    workspaces,
    servers: new Set(servers.map(({ pid }) => pid)),
    panes: sessions.flatMap(({ session }) => livePanes(session)),
    ofRemoved,
  })
  const known = new Set([
    ...agents.flatMap(agent => agent.processes.map(({ pid }) => pid)),
    ...processes.map(({ pid }) => pid),
  ])
  return { sessions, foreign, processes, suspects: mergeSuspects(agents, known) }
}
