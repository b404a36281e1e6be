import { setTimeout as sleep } from 'node:timers/promises'
import { readContainment } from '../containment/contained.ts'
import { messageOf } from '../errors.ts'
import { limitMet } from '../platform/limits.ts'
import {
  type Machine,
  type ProcessTable,
  readMachine,
  readMachineAgain,
  readTable,
} from '../platform/processes/table.ts'
import { agentFiles } from '../registry/agent-files.ts'
import type { TaskRegistry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { everyEntry, requireAgent } from '../registry/registry.ts'
import { requireDeployedHere } from '../registry/world.ts'
import { readClients } from '../tmux/clients.ts'
import { locate, type TmuxLocation } from '../tmux/locate.ts'
import { isPlaced } from './log-holders.ts'
import type { Observation } from './observation.ts'
import { closedInSession, guestPanes } from './others-live-in.ts'
import { recordedPlace } from './recorded-place.ts'
import { requireSeenFromHere } from './seen-from-here.ts'
import { findSharedServers } from './shared-servers.ts'
import { withoutGuests, withoutSharedSession } from './shared-session.ts'
import { findUnseenPanes } from './unseen-panes.ts'
import { locateAgent, type ProvenSession, requireProven } from './which-server.ts'

interface ObserveOptions {
  /** The machine as it was read already, for many agents at once. */
  machine?: Machine
  /** The real path of the agent's stream log, where it is known already: to resolve it costs more than all else here. */
  log?: string
  /** The session's name where the agent's id does not give it. */
  sessionName?: string
  /** True when the agent was seen here before. */
  wasSeen?: boolean
  /** The agent's session, where the caller has seen that it is the agent's. */
  proven?: ProvenSession | undefined
  /** True where nothing will be ended: then a session counts that is the agent's by its name alone. */
  isOnlyShown?: boolean
}

/**
 * Reads tmux, the processes and their descriptors, once each. Changes nothing; throws what could not be read or asked. Where a
 * limit keeps every tmux client from starting, an agent that /proc confirms is observed without tmux (recorded-place.ts).
 */
export async function observe(
  ref: AgentRef,
  registry: TaskRegistry,
  { machine: known, log: knownLog, sessionName, wasSeen, proven, isOnlyShown }: ObserveOptions = {},
): Promise<Observation> {
  const entry = requireAgent(registry, ref)
  requireDeployedHere(ref, entry)
  const log = knownLog ?? agentFiles(ref, entry).stream
  const reading = Promise.resolve(known ?? readMachine())
  const [located, machine] = await Promise.all([
    locateAgent(ref, entry, log, () => reading, { proven }).catch((tmuxError: unknown) => ({ tmuxError })),
    reading,
  ])
  const location =
    'session' in located ? located : recordedPlace(ref, entry, machine.table, located.tmuxError)
  if (!isOnlyShown) requireProven(location)
  requireSeenFromHere(entry, location, log, machine, wasSeen)
  // Whoever cleans up a session that no registry lists has decided already who may look at it.
  const isWatched = sessionName === undefined && location.session?.attached
  const clients = isWatched ? await readClients(serverAt(location)) : []
  const seen = {
    ref,
    entry,
    agents: everyEntry(registry),
    log,
    location,
    contained: readContainment(ref, entry),
    ...machine,
    ...(sessionName !== undefined && { sessionName }),
  }
  const guests = guestPanes(seen, clients)
  const observation = withoutSharedSession({
    ...seen,
    guests,
    sharedServers: [],
    closedWindows: closedInSession({ ...seen, guests }, clients),
  })
  const [shared, unseenPanes] = await Promise.all([
    findSharedServers(observation),
    findUnseenPanes(observation),
  ])
  return { ...observation, ...shared, unseenPanes }
}

const serverAt = ({ path, server }: TmuxLocation) => ({ path, pid: server?.pid ?? 0 })

/** An observation with the processes as they are now: one pass over /proc, and tmux is not asked. */
export async function observeProcesses(observation: Observation): Promise<Observation> {
  return withTable(observation, await readTable())
}

/**
 * An observation with another process table. Its descriptors count as never read, because a process may have ended since
 * they were read, and its pid may be another one's.
 */
export function withTable(observation: Observation, table: ProcessTable): Observation {
  const contained = readContainment(observation.ref, observation.entry)
  return { ...observation, contained, table, openFiles: new Map(), openedAt: Number.NEGATIVE_INFINITY }
}

/** How long to wait, in ms, until parents have reaped what was ended: until then it counts for the limit of processes. */
const REAPED_MS = 2_000

/**
 * Asks tmux ahead of an observation: its reply takes as long as a pass over /proc. Where tmux cannot be asked, the location is
 * the one before, with tmux's error.
 */
export async function locateAgain({ entry, location: before }: Observation): Promise<TmuxLocation> {
  for (const deadline = performance.now() + REAPED_MS; ; await sleep(50)) {
    const found = await locate(entry, before.path).catch((tmuxError: unknown) => ({ ...before, tmuxError }))
    if (limitMet(found.tmuxError) === undefined || performance.now() > deadline) return found
  }
}

/** Reads everything but the registry again. The error of a tmux that could not be asked is in the location, not thrown. */
export async function observeAgain(
  observation: Observation,
  pendingLocation: Promise<TmuxLocation> = locateAgain(observation),
): Promise<Observation> {
  const [location, machine] = await Promise.all([pendingLocation, readMachineAgain(observation)])
  const contained = readContainment(observation.ref, observation.entry)
  const wasPlaced = isPlaced(observation)
  return keepOwnership(observation, { ...observation, location, contained, wasPlaced, ...machine })
}

/** Whose the session is was decided by the first observation: by the last one, what tied it to the agent may have ended. */
function keepOwnership(before: Observation, { sharedSession: _, ...now }: Observation): Observation {
  const id = now.location.session?.id
  if (id === undefined) return now
  if (id === before.location.session?.id) {
    // Somebody may have moved a pane into it since. A guest stays one: the client that showed it may be gone.
    const guests = new Set([...before.guests, ...guestPanes(now, [])].map(pane => pane.id))
    return withoutGuests({ ...now, guests: now.location.panes.filter(pane => guests.has(pane.id)) })
  }
  if (!before.sharedSession || id !== before.sharedSession.id) return leavingUnreadable(now, id)
  const own = new Set(before.location.panes.map(pane => pane.id))
  const panes = now.location.panes.filter(pane => own.has(pane.id))
  return {
    ...now,
    sharedSession: before.sharedSession,
    location: { ...now.location, session: undefined, panes },
  }
}

/** A registry that cannot be read must not stop a cleanup halfway: a session that it may list is left alone instead. */
function leavingUnreadable(observation: Observation, id: string): Observation {
  try {
    return withoutSharedSession(observation)
  } catch (error) {
    const location = { ...observation.location, session: undefined, panes: [] }
    return { ...observation, location, sharedSession: { id, why: messageOf(error) } }
  }
}
