import { readContainment } from '../containment/contained.ts'
import { messageOf } from '../errors.ts'
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
import { readClients } from '../tmux/clients.ts'
import { locate, type TmuxLocation } from '../tmux/locate.ts'
import type { Observation } from './observation.ts'
import { requireKnownServer } from './other-server.ts'
import { guestPanes } from './others-live-in.ts'
import { findSharedServers } from './shared-servers.ts'
import { withoutGuests, withoutSharedSession } from './shared-session.ts'

interface ObserveOptions {
  /** The machine as it was read already, for many agents at once. */
  machine?: Machine
  /** The real path of the agent's stream log, where it is known already: to resolve it costs more than all else here. */
  log?: string
  /** The session's name where the agent's id does not give it. */
  sessionName?: string
}

/** Reads tmux, the processes and their descriptors, once each. Changes nothing; throws what could not be read or asked. */
export async function observe(
  ref: AgentRef,
  registry: TaskRegistry,
  { machine: shared, log: knownLog, sessionName }: ObserveOptions = {},
): Promise<Observation> {
  const entry = requireAgent(registry, ref)
  const log = knownLog ?? agentFiles(ref, entry).stream
  const [location, machine] = await Promise.all([locate(entry), shared ?? readMachine()])
  requireKnownServer(entry, location, log, machine)
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
  const observation = withoutSharedSession({ ...seen, guests, sharedServers: [] })
  return { ...observation, sharedServers: await findSharedServers(observation) }
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

/** An observation, and why tmux could not be asked, if it could not. */
export interface Observed {
  observation: Observation
  tmuxError?: unknown
}

/** Where the agent is in tmux now, or tmux's error and the location before. */
export type PendingLocation = Promise<{ location: TmuxLocation; tmuxError?: unknown }>

/** Asks tmux ahead of an observation: its reply takes as long as a pass over /proc. */
export function locateAgain({ entry, location: before }: Observation): PendingLocation {
  return locate(entry).then(
    location => ({ location }),
    (tmuxError: unknown) => ({ location: before, tmuxError }),
  )
}

/** Reads everything but the registry again. The error of a tmux that could not be asked is returned, not thrown. */
export async function observeAgain(
  observation: Observation,
  pendingLocation: PendingLocation = locateAgain(observation),
): Promise<Observed> {
  const [{ location, ...failure }, machine] = await Promise.all([
    pendingLocation,
    readMachineAgain(observation),
  ])
  const contained = readContainment(observation.ref, observation.entry)
  return {
    observation: keepOwnership(observation, { ...observation, location, contained, ...machine }),
    ...failure,
  }
}

/** Whose the session is was decided by the first observation: by the last one, what tied it to the agent may have ended. */
function keepOwnership(before: Observation, { sharedSession: _, ...now }: Observation): Observation {
  const id = now.location.session?.id
  if (id === undefined) return now
  // Somebody may have moved a pane into it since.
  if (id === before.location.session?.id) return withoutGuests({ ...now, guests: guestPanes(now, []) })
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
