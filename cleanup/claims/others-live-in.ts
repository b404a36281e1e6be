import { selfAndAncestors, withDescendants } from '../platform/processes/ancestry.ts'
import { beganMs } from '../platform/processes/details.ts'
import { NO_ENVIRONMENT } from '../platform/processes/environment.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import { isDone } from '../registry/lifecycle.ts'
import { describeClient, type TmuxClient } from '../tmux/clients.ts'
import { isTmuxServer } from '../tmux/is-server.ts'
import type { AgentPane } from '../tmux/locate.ts'
import { tmuxVariable } from '../tmux/recorded.ts'
import type { TmuxServer, TmuxSession } from '../tmux/server.ts'
import { logWriters } from './log-writers.ts'
import type { ClosedWindows, Observation, SharedServer } from './observation.ts'

/*
 * The one rule of what others live in: it is not ended. tmux tells where a process was born, because it puts the number of
 * the session into TMUX in the initial environment of everything that it starts in a pane, and a server never gives a number
 * twice. So a pane is its birthplace's, wherever it was moved, linked or swapped to. Nothing tells which client opened a
 * session: a server hands the environment of the command that started it to every later session. Therefore, on a server
 * that an agent started, only the session that was opened together with the server is the agent's. Any later one may be
 * somebody else's: it is left alone and named, and so is the server that it needs.
 */

/** The tmux server that started a process, or in whose pane it was born. */
export function serverOf(table: ProcessTable, pid: number): SeenProcess | undefined {
  const { tmux, sharesPids } = table.get(pid)?.environment ?? NO_ENVIRONMENT
  const named = table.get(Number(tmux?.split(',')[1]))
  return (
    selfAndAncestors(table, pid).find(one => isTmuxServer(one, table)) ??
    (named && sharesPids && isTmuxServer(named, table) ? named : undefined)
  )
}

/** The first pane of a server was opened with it. */
const FIRST_PANE = '%0'

/** What tmux told about a server; absent when it could not be asked. */
export interface Asked {
  server: TmuxServer
  clients: readonly TmuxClient[]
}

/**
 * Tells whether others live on a server that the agent started; undefined when nobody else does. Where tmux could not be
 * asked, the birthplaces of the processes in its panes decide. `isAgents` tells the agent's own clients; `ofOtherAgents` holds
 * what lies between the server and other agents (agents-live-in.ts).
 */
export function sharedServer(
  server: SeenProcess,
  table: ProcessTable,
  asked: Asked | undefined,
  isAgents: (pid: number) => boolean,
  ofOtherAgents: ReadonlySet<SeenProcess>,
): SharedServer | undefined {
  const clients = (asked?.clients ?? []).filter(({ pid }) => !isAgents(pid))
  const isLookedAt = ({ id }: TmuxSession) => clients.some(client => client.session === id)
  const sessions = asked?.server.sessions ?? []
  const children = [...table.values()].filter(({ ppid }) => ppid === server.pid)
  const panes = children.filter(({ environment: { pane } }) => pane !== undefined)
  // A session is another agent's if its oldest pane is.
  const isOtherAgents = (session: number) => {
    const born = panes.filter(process => birthplaceOn(server.pid, process) === session)
    const [oldest] = born.sort(
      (a, b) => numberOf(a.environment.pane ?? '') - numberOf(b.environment.pane ?? ''),
    )
    return oldest !== undefined && ofOtherAgents.has(oldest)
  }
  const first = asked
    ? sessions.filter(one => one.isFirst && !isLookedAt(one)).map(({ id }) => Number(id.slice(1)))
    : [0]
  const ownSessions = new Set(first.filter(session => !isOtherAgents(session)))
  const firstSession = sessions.find(({ id }) => ownSessions.has(Number(id.slice(1))))
  const visit = firstSession && visitOf(firstSession, [])
  const isByHand = (process: SeenProcess) =>
    process.environment.pane !== FIRST_PANE && isWithin(visit, beganMs(process))
  const isOwn = (process: SeenProcess) =>
    ownSessions.has(birthplaceOn(server.pid, process) ?? -1) &&
    !isByHand(process) &&
    !ofOtherAgents.has(process)
  const others = sessions.filter(({ id }) => !ownSessions.has(Number(id.slice(1))))
  // A job that tmux runs for another agent is in no pane.
  const guests = children.filter(
    process => (process.environment.pane !== undefined && !isOwn(process)) || ofOtherAgents.has(process),
  )
  if (others.length + guests.length === 0) return undefined
  const own = panes
    .filter(isOwn)
    .map(({ pid, start, environment: { pane = '' } }) => [pid, { start, pane }] as const)
  return {
    server: { pid: server.pid, start: server.start },
    own: new Map(own),
    ownSessions,
    othersSessions: new Set([
      ...others.map(({ id }) => Number(id.slice(1))),
      ...guests
        .flatMap(process => birthplaceOn(server.pid, process) ?? [])
        .filter(id => !ownSessions.has(id)),
    ]),
    othersPanes: new Set(guests.flatMap(({ environment: { pane } }) => pane ?? [])),
    why: describe(server, asked?.server.path, others, guests, clients, ofOtherAgents),
  }
}

const OF_AGENT = 'in which another agent lives'

function describe(
  { pid }: SeenProcess,
  socket: string | undefined,
  others: readonly TmuxSession[],
  guests: readonly SeenProcess[],
  clients: readonly TmuxClient[],
  ofOtherAgents: ReadonlySet<SeenProcess>,
): string {
  const agentsPids = new Set([...ofOtherAgents].map(({ pid }) => pid))
  const inhabitants = others.map(session => {
    const looking = clients.filter(client => client.session === session.id).map(describeClient)
    const attached = looking.length > 0 ? `, attached: ${looking.join(', ')}` : ''
    const ofAgent = session.panes.some(({ pid }) => agentsPids.has(pid)) ? `, ${OF_AGENT}` : ''
    return `${session.name} (${session.id}${ofAgent}${attached})`
  })
  const inSessions = new Set(others.flatMap(({ panes }) => panes.map(pane => pane.pid)))
  const elsewhere = guests.filter(({ pid }) => !inSessions.has(pid))
  const who = [
    ...(inhabitants.length > 0
      ? [`the session${inhabitants.length > 1 ? 's' : ''} ${inhabitants.join(', ')}`]
      : []),
    ...elsewhere.map(process => {
      const whose = ofOtherAgents.has(process)
        ? OF_AGENT
        : 'born in another session or while somebody was attached'
      return `process ${process.pid} (${process.comm}), ${whose}`
    }),
  ].join(', and ')
  const show = socket === undefined ? '' : ` "tmux -S ${socket} list-sessions" shows it.`
  return `The tmux server ${pid}, which the agent started, is left running: it holds ${who}, and nothing shows that the agent opened that.${show}`
}

/** The number of the session of a server in which a process was born, by its TMUX; undefined for any other process. */
function birthplaceOn(serverPid: number, { environment }: SeenProcess): number | undefined {
  const [, server, session] = /,(\d+),(\d+)$/.exec(environment.tmux ?? '') ?? []
  const isThere = environment.pane !== undefined && Number(server) === serverPid && environment.sharesPids
  return isThere ? Number(session) : undefined
}

/** How long after a key, in ms, a pane may begin that it opened. tmux tells the time of the key to the second only. */
const BY_KEY_MS = 2_000

/** A time in which somebody could open windows by hand, in ms since 1970. */
type Visit = Pick<ClosedWindows, 'sinceMs' | 'untilMs'>

/**
 * The last time in which somebody was attached to a session; undefined where nobody was. `hands` are the clients that are
 * attached now. tmux forgets when a client left, so an earlier visit ends with the last key that was pressed.
 */
function visitOf(
  { lastAttached = 0, lastActive = 0, attached }: Partial<TmuxSession>,
  hands: readonly TmuxClient[],
): Visit | undefined {
  if (hands.length > 0)
    return {
      sinceMs: Math.min(...hands.map(client => client.since)) * 1_000,
      untilMs: Number.POSITIVE_INFINITY,
    }
  return attached === 0 && lastAttached > 0
    ? { sinceMs: lastAttached * 1_000, untilMs: lastActive * 1_000 + BY_KEY_MS }
    : undefined
}

const isWithin = (visit: Visit | undefined, timeMs: number): boolean =>
  visit !== undefined && timeMs >= visit.sinceMs && timeMs <= visit.untilMs

const handsIn = (session: Partial<TmuxSession>, clients: readonly TmuxClient[]): TmuxClient[] =>
  clients.filter(client => client.session === session.id && !client.isReadOnly)

/**
 * The windows that somebody has opened by hand in the agent's session, as far as they have closed. The pane of the deploy is
 * the agent's also when it is gone.
 */
export function closedInSession(
  { location, guests }: Pick<Observation, 'location' | 'guests'>,
  clients: readonly TmuxClient[],
): ClosedWindows[] {
  const { server, session, socket, recorded, listed } = location
  const visit = session && visitOf(session, handsIn(session, clients))
  if (!server || !visit) return []
  const tmux = tmuxVariable(socket, server.pid, session.id)
  const isGuest = new Set(guests.map(({ id }) => id))
  // Without TMUX, TMUX_PANE does not tell the server.
  const holds = ({ environment }: SeenProcess) =>
    environment.pane !== undefined &&
    (!environment.tmux || environment.tmux === tmux) &&
    environment.pane !== recorded?.pane_id &&
    (isGuest.has(environment.pane) || !listed.panes.has(environment.pane))
  return [{ ...visit, holds }]
}

/** The same for the first session of a tmux server that the agent started, if nobody is attached to it. */
export function closedOnServer(server: SeenProcess, asked: Asked | undefined): ClosedWindows[] {
  const first = asked?.server.sessions.find(({ isFirst }) => isFirst)
  const visit = first && visitOf(first, [])
  if (!asked || !visit) return []
  const panes = new Set(asked.server.sessions.flatMap(one => one.panes.map(({ id }) => id)))
  const number = Number(first.id.slice(1))
  const holds = (process: SeenProcess) => {
    const { pane = '' } = process.environment
    return birthplaceOn(server.pid, process) === number && pane !== FIRST_PANE && !panes.has(pane)
  }
  return [{ ...visit, holds }]
}

/** How long after its session, in s, the pane that it was opened with may begin. tmux tells times to the second only. */
const OPENED_WITHIN_S = 2

/**
 * The panes in the agent's session that others live in: those born in another session, those older than the one of the
 * deploy, those in a window of others that their own session shows too, and those that began while a client of somebody else
 * was attached, who may have opened them by hand and left. The pane of the deploy is the agent's, and so is a pane that writes the
 * agent's log.
 */
export function guestPanes(
  { entry, location, table, openFiles, log }: Omit<Observation, 'guests' | 'sharedServers'>,
  clients: readonly TmuxClient[],
): AgentPane[] {
  const { server, session, panes, recorded } = location
  if (!server || !session) return []
  const own = tmuxVariable(location.socket, server.pid, session.id)
  const onServer = own.slice(0, own.lastIndexOf(',') + 1)
  const visit = visitOf(session, handsIn(session, clients))
  const isWritten = ({ id }: AgentPane) =>
    logWriters(openFiles, log).some(({ pid }) => table.get(pid)?.environment.pane === id)
  // Without a record it is the pane that the session was opened with, which an earlier cleanup has ended.
  const openedBy = (session.created + OPENED_WITHIN_S) * 1_000
  const isDeployed = ({ id }: AgentPane, began: number) =>
    recorded ? id === recorded.pane_id : !isDone(entry) && panes.length === 1 && began <= openedBy
  // A pane that is started again (`respawn-pane`) gets the TMUX of the session that it is in by then, and keeps its id.
  const isOlder = ({ id }: AgentPane) => recorded !== undefined && numberOf(id) < numberOf(recorded.pane_id)
  const isBornElsewhere = (pane: AgentPane) => {
    const tmux = pane.dead ? undefined : table.get(pane.pid)?.environment.tmux
    return isOlder(pane) || (tmux?.startsWith(onServer) === true && tmux !== own)
  }
  const windows = Map.groupBy(panes, ({ window }) => window)
  // A window is of the session in which its oldest pane was born, unless the agent certainly has a pane there.
  const isInOthersWindow = ({ shared, window }: AgentPane) => {
    const [oldest, ...more] = (windows.get(window) ?? []).sort((a, b) => numberOf(a.id) - numberOf(b.id))
    if (!shared || !oldest || !isBornElsewhere(oldest)) return false
    return ![oldest, ...more].some(one => one.id === recorded?.pane_id || isWritten(one))
  }
  return panes.filter(pane => {
    const process = pane.dead ? undefined : table.get(pane.pid)
    if (!process) return false
    const began = beganMs(process)
    const isGuest =
      isBornElsewhere(pane) || isInOthersWindow(pane) || (isWithin(visit, began) && !isDeployed(pane, began))
    return isGuest && !isWritten(pane)
  })
}

/** The number in an id, such as `%7`: a server counts its panes, so a pane with a lower one is older. */
const numberOf = (id: string): number => Number(id.slice(1))

/**
 * Tells in a sentence who looks at a session, or did within `recentMs`; undefined when nobody does. A client looks at it that
 * is attached to it, to another session that shows one of its windows, or that returns to it (`switch-client -l`).
 */
export function whoLooksAt(
  session: TmuxSession,
  { sessions }: TmuxServer,
  clients: readonly TmuxClient[],
  recentMs: number,
): string | undefined {
  const panes = new Set(session.panes.map(({ id }) => id))
  const showing = new Set(
    sessions.filter(({ panes: others }) => others.some(({ id }) => panes.has(id))).map(({ id }) => id),
  )
  const looking = clients.filter(client => showing.has(client.session) || client.lastSession === session.name)
  if (looking.length > 0) return `somebody looks at it: ${looking.map(describeClient).join(', ')}`
  const sinceMs = Date.now() - session.lastActive * 1_000
  return session.lastAttached > 0 && sinceMs < recentMs
    ? `somebody used it ${Math.round(sinceMs / 1_000)} s ago`
    : undefined
}

/** Tells the processes that live in what is others': in a guest's pane, or on a shared server outside the agent's panes. */
export function livesWithOthers({
  guests,
  sharedServers,
  location,
  table,
}: Pick<Observation, 'guests' | 'sharedServers' | 'table'> & Partial<Observation>): (
  process: SeenProcess,
) => boolean {
  if (guests.length + sharedServers.length === 0) return () => false
  const shared = new Map(sharedServers.map(one => [one.server.pid, one]))
  const isOwn = ({ pid, start }: SeenProcess, { own }: SharedServer) => own.get(pid)?.start === start
  const roots = [...table.values()].filter(process => {
    const on = shared.get(process.ppid)
    return on !== undefined && !isOwn(process, on)
  })
  const guestPids = guests.flatMap(({ pid, dead }) => (dead ? [] : (table.get(pid) ?? [])))
  const below = withDescendants(table, [...roots, ...guestPids])
  const guestIds = new Set(guests.map(({ id }) => id))
  const onServer = `${location?.socket},${location?.server?.pid},`
  const isThere = (process: SeenProcess): boolean => {
    if (below.has(process)) return true
    const { tmux, pane, screen, window } = process.environment
    const windows = screen === undefined ? undefined : shared.get(Number.parseInt(screen, 10))?.ownWindows
    if (windows && !windows.has(window ?? '')) return true
    if (tmux === undefined || pane === undefined) return false
    if (guestIds.has(pane) && tmux.startsWith(onServer)) return true
    const on = shared.get(Number(/,(\d+),\d+$/.exec(tmux)?.[1]))
    const session = on && birthplaceOn(on.server.pid, process)
    return (
      on !== undefined &&
      session !== undefined &&
      (on.othersSessions.has(session) || on.othersPanes?.has(pane) === true)
    )
  }
  // Whoever lives there may have started a tmux server of their own. The agent's servers hold its own panes, too.
  const servers = [...table.values()].filter(
    one =>
      one.pid !== location?.server?.pid && !shared.has(one.pid) && isThere(one) && isTmuxServer(one, table),
  )
  const within = onServers(table, servers)
  return process => isThere(process) || shared.has(process.pid) || within.has(process)
}

/** Some processes, and for each tmux server among them whatever runs below it or was born on it, other servers included. */
export function onServers(table: ProcessTable, processes: readonly SeenProcess[]): ReadonlySet<SeenProcess> {
  const found = new Set(processes)
  for (const server of found) {
    if (!isTmuxServer(server, table)) continue
    for (const process of withDescendants(table, [server])) found.add(process)
    for (const process of table.values())
      if (birthplaceOn(server.pid, process) !== undefined) found.add(process)
  }
  return found
}
