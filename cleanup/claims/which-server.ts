import fs from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { CleanupError } from '../errors.ts'
import { beganMs } from '../platform/processes/details.ts'
import type { Identity } from '../platform/processes/identity.ts'
import { sharesPids } from '../platform/processes/namespaces.ts'
import { isAlive, type Machine, type SeenProcess } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { namesAgent } from '../registry/marker.ts'
import { parseTimestamp } from '../registry/timestamps.ts'
import { requireWorld } from '../registry/world.ts'
import { type FoundServer, serversFoundIn } from '../tmux/found-servers.ts'
import { locate, locationOn, type TmuxLocation } from '../tmux/locate.ts'
import { tmuxUnreachable } from '../tmux/query.ts'
import { namedSession, recordedTmux } from '../tmux/recorded.ts'
import { trustedSockets } from '../tmux/sockets.ts'
import { isOlder, LATE_MS } from './age.ts'
import { type Candidate, chooseServer } from './choose-server.ts'
import { partWriters, writesOtherLogs } from './log-writers.ts'
import type { Observation } from './observation.ts'
import { serverOf } from './others-live-in.ts'
import { isMarkedByDeploy } from './own-panes.ts'
import { whyNotAgents } from './shared-session.ts'

/** A session that was shown to be an agent's, by more than its name. */
export interface ProvenSession {
  path: string
  server: Identity | undefined
  id: string
  created: number
}

/**
 * Finds an agent in tmux: at its recorded place, or by its name on every server of the user's that can be found. What is
 * found out about its session is kept in `known`, for a caller that asks again: then only that server is asked, and its
 * session stays the agent's when its log is closed. The location is `unproven` where nothing but its name ties a session to
 * the agent, on a server that nobody named. Throws a CleanupError (`tmux-unreachable`) when several servers may have it, and
 * when it may be on one that could not be asked.
 */
export async function locateAgent(
  ref: AgentRef,
  entry: AgentEntry,
  log: string,
  reading: () => Promise<Machine>,
  known: { proven?: ProvenSession | undefined } = {},
): Promise<TmuxLocation> {
  if (recordedTmux(entry) || requireWorld(entry) !== undefined) return locate(entry)
  const before = known.proven && (await locate(entry, known.proven.path))
  if (before && isDeepStrictEqual(known.proven, provenSession(before))) return { ...before, isProven: true }
  const [machine, ...trusted] = await Promise.all([
    reading(),
    ...trustedSockets().map(socket => locate(entry, socket)),
  ])
  const writers = serversOfWriters(entry, log, machine)
  const candidate = (location: TmuxLocation, isTrusted: boolean) =>
    judge({ ref, entry, log, location, ...machine }, isTrusted, writers)
  const candidates = onePerServer(trusted.map(location => candidate(location, true)))
  const only = chooseServer(candidates)
  if (only && 'server' in only && isCertain(only.server, writers)) {
    known.proven = provenSession(only.server.location)
    return only.server.location
  }
  const isTrusted = (pid: number) => candidates.some(({ location }) => location.server?.pid === pid)
  const found = (await serversFoundIn(machine.table)).filter(({ process }) => !isTrusted(process.pid))
  const { name } = namedSession(entry)
  const answers = found.flatMap(({ answer }) => answer ?? [])
  const others = answers.filter(
    ({ pid, sessions }) => writers.has(pid) || sessions.some(session => session.name === name),
  )
  candidates.push(...others.map(answer => candidate(locationOn(entry, answer.path, answer), false)))
  const chosen = chooseServer(candidates)
  const unasked = [...writers].filter(
    ([server]) => !isTrusted(server) && answers.every(({ pid }) => pid !== server),
  )
  requireAnswers(unasked, found, chosen !== undefined, ref, entry, log, machine)
  if (Array.isArray(chosen)) throw notCertain(entry, chosen)
  if (!chosen) return trusted.find(({ server }) => server) ?? trusted[0] ?? locate(entry)
  const { server, mayEnd } = chosen
  known.proven = server.isWriting || server.isMarked ? provenSession(server.location) : undefined
  return mayEnd ? server.location : { ...server.location, unproven: whyUnproven(entry, server.location) }
}

const provenSession = ({ path, server, session }: TmuxLocation): ProvenSession | undefined =>
  session && { path, server, id: session.id, created: session.created }

type Located = Candidate & { location: TmuxLocation }

/** True when no other server has to be asked: this one has the session, and nothing better than its proof could be found. */
const isCertain = ({ isNamed, isWriting, isMarked }: Candidate, writers: Writers): boolean =>
  isNamed && (isWriting ? writers.size === 1 : isMarked && writers.size === 0)

function judge(
  seen: Omit<Observation, 'agents' | 'contained' | 'guests' | 'sharedServers'>,
  isTrusted: boolean,
  writers: Writers,
): Located {
  const { entry, location } = seen
  const { session, server } = location
  // A session of others that the agent has a window in, or an id, which every server gives: elsewhere they mean another one.
  const isNamed = session !== undefined && (isTrusted || !namedSession(entry).isPart)
  const observation = {
    ...seen,
    agents: [entry],
    contained: { noted: new Map() },
    guests: [],
    sharedServers: [],
  }
  const isWriting = server !== undefined && writers.get(server.pid)?.isOlder === false
  return {
    ...{ location, isTrusted, isNamed, isWriting },
    isMarked: isNamed && !isWriting && isMarkedByDeploy(observation),
    // Asked only where it decides: it reads the registries of the workspace.
    get isAnothers() {
      return isNamed && whyNotAgents(observation) !== undefined
    },
  }
}

/** A server may have several sockets, or several paths to one. */
const onePerServer = (all: readonly Located[]): Located[] =>
  all.filter(
    ({ location: { server } }, n) =>
      !server || all.findIndex(({ location }) => location.server?.pid === server.pid) === n,
  )

interface Writer {
  pid: number
  /** As an orchestrator is that writes the logs of its agents. */
  isOlder: boolean
}

/** The servers whose processes write an agent's log, by pid. */
type Writers = ReadonlyMap<number, Writer>

function serversOfWriters(entry: AgentEntry, log: string, { table, openFiles }: Machine): Writers {
  const found = new Map<number, Writer>()
  for (const { pid } of partWriters(openFiles, log)) {
    const server = sharesPids(pid) ? serverOf(table, pid) : undefined
    if (!server || writesOtherLogs(openFiles, log, pid)) continue
    const before = found.get(server.pid)
    if (!before || before.isOlder)
      found.set(server.pid, { pid, isOlder: isOlder({ entry, table }, table.get(pid)) === true })
  }
  return found
}

/**
 * Throws when an agent may be on a server that was not asked: a process there writes its log, or there is no log that could
 * show anything and the server has a pane as old as the agent.
 */
function requireAnswers(
  unasked: readonly [number, Writer][],
  found: readonly FoundServer[],
  isChosen: boolean,
  ref: AgentRef,
  entry: AgentEntry,
  log: string,
  { table }: Machine,
): void {
  for (const [server, { pid, isOlder }] of unasked) {
    const process = table.get(server)
    if ((isOlder && isChosen) || !process || !isAlive(process)) continue
    const socket = table.get(pid)?.environment.tmux?.split(',')[0] ?? 'an unknown socket'
    const why = found.find(one => one.process.pid === server)?.why
    throw tmuxUnreachable(
      socket,
      ['list-sessions'],
      `process ${pid} writes the log of ${entry.id} from a pane of that server, ${server}, and ${why ?? 'it is another user’s, or in a sandbox; run this command there, or name its socket with --socket-path'}`,
    )
  }
  if (isChosen || fs.existsSync(log)) return
  const unseen = found.find(
    ({ process, answer }) => !answer && isAlive(process) && mayHold(process, ref, entry, table),
  )
  if (unseen)
    throw tmuxUnreachable(
      `the server ${unseen.process.pid}`,
      ['list-sessions'],
      `a session of ${entry.id} may be there: ${unseen.why}`,
    )
}

/** True when a pane of a server that is not marked as another agent's began when the agent did, or when nobody knows when that was. */
function mayHold(server: SeenProcess, ref: AgentRef, entry: AgentEntry, table: Machine['table']): boolean {
  const { earliest, latest } = parseTimestamp(entry.started_at)
  const isOwn = namesAgent(ref, entry)
  const panes = [...table.values()].filter(({ ppid }) => ppid === server.pid)
  return panes.some(pane => {
    const { marker } = pane.environment
    if (marker !== undefined && !isOwn(marker)) return false
    const began = beganMs(pane)
    return !(began < earliest - LATE_MS || began > latest + LATE_MS)
  })
}

const describe = ({ session, path }: TmuxLocation): string =>
  session ? `${session.name} (${session.id}) on ${path}` : `a pane on ${path}`

function whyUnproven(entry: AgentEntry, location: TmuxLocation): string {
  return `The session ${describe(location)} has the name of ${entry.id}, but nothing else shows that it is that agent’s: nothing in it writes the agent’s log or carries its marker. Nothing was ended or deleted. If it is, add --socket-path ${location.path}; if it is not, rename it.`
}

function notCertain(entry: AgentEntry, all: readonly Located[]): CleanupError {
  const which = all.map(({ location }) => describe(location)).join(', ')
  return new CleanupError(
    'tmux-unreachable',
    `Several tmux servers may have the session of ${entry.id}: ${which}. Nothing shows which is the agent’s, so nothing was ended or deleted; end or rename the others, then try again.`,
  )
}

/** Throws when nothing may be ended at a location. */
export function requireProven({ unproven }: TmuxLocation): void {
  if (unproven !== undefined) throw new CleanupError('tmux-unreachable', unproven)
}
