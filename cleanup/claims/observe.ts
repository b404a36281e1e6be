import { readContainment } from '../containment/contained.ts'
import { messageOf } from '../errors.ts'
import { type ProcessTable, readMachine, readMachineAgain, readTable } from '../platform/processes/table.ts'
import { agentFiles } from '../registry/agent-files.ts'
import type { TaskRegistry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { everyEntry, requireAgent } from '../registry/registry.ts'
import { locate, type TmuxLocation } from '../tmux/locate.ts'
import type { Observation } from './observation.ts'
import { requireKnownServer } from './other-server.ts'
import { withoutSharedSession } from './shared-session.ts'

/** Looks at tmux, processes and descriptors, once each. Ends nothing; throws what cannot be looked at. */
export async function observe(
  ref: AgentRef,
  registry: TaskRegistry,
  sessionName?: string,
): Promise<Observation> {
  const entry = requireAgent(registry, ref)
  const log = agentFiles(ref, entry).stream
  const [location, machine] = await Promise.all([locate(entry), readMachine()])
  requireKnownServer(entry, location, log, machine)
  return withoutSharedSession({
    ref,
    entry,
    agents: everyEntry(registry),
    log,
    location,
    contained: readContainment(ref, entry),
    ...machine,
    ...(sessionName !== undefined && { sessionName }),
  })
}

/** Looks for processes only: in one pass over /proc, without a word to tmux. */
export async function observeProcesses(observation: Observation): Promise<Observation> {
  return withTable(observation, await readTable())
}

/**
 * A scene with the processes as they are now. Descriptors that were seen before are left out and count as never read,
 * because their process may have ended and its number may be somebody else's.
 */
export function withTable(observation: Observation, table: ProcessTable): Observation {
  const contained = readContainment(observation.ref, observation.entry)
  return { ...observation, contained, table, openFiles: new Map(), openedAt: Number.NEGATIVE_INFINITY }
}

/** A look, and why tmux could not be asked if it could not. */
export interface Observed {
  observation: Observation
  tmuxError?: unknown
}

/** Where the agent is in tmux now, or what tmux said instead. */
export type PendingLocation = Promise<{ location: TmuxLocation; tmuxError?: unknown }>

/** Asks tmux again, ahead of a look: its answer takes as long as a pass over /proc. */
export function locateAgain({ entry, location: before }: Observation): PendingLocation {
  return locate(entry).then(
    location => ({ location }),
    (tmuxError: unknown) => ({ location: before, tmuxError }),
  )
}

/** Looks at everything but the registry again. A tmux that cannot be asked is returned as what it said. */
export async function observeAgain(
  observation: Observation,
  asked: PendingLocation = locateAgain(observation),
): Promise<Observed> {
  const [{ location, ...failure }, machine] = await Promise.all([asked, readMachineAgain(observation)])
  const contained = readContainment(observation.ref, observation.entry)
  return {
    observation: sameVerdict(observation, { ...observation, location, contained, ...machine }),
    ...failure,
  }
}

/** What was found of a session in the first look counts: by the last one those in it may have ended. */
function sameVerdict(before: Observation, { sharedSession: _, ...now }: Observation): Observation {
  const id = now.location.session?.id
  if (id === undefined || id === before.location.session?.id) return now
  if (!before.sharedSession || id !== before.sharedSession.id) return withoutSharedSessionOrAny(now, id)
  const known = new Set(before.location.panes.map(pane => pane.id))
  const panes = now.location.panes.filter(pane => known.has(pane.id))
  return {
    ...now,
    sharedSession: before.sharedSession,
    location: { ...now.location, session: undefined, panes },
  }
}

/** In the middle of a cleaning a registry that cannot be read stops nothing: the session that it may list is left alone. */
function withoutSharedSessionOrAny(observation: Observation, id: string): Observation {
  try {
    return withoutSharedSession(observation)
  } catch (error) {
    const location = { ...observation.location, session: undefined, panes: [] }
    return { ...observation, location, sharedSession: { id, why: messageOf(error) } }
  }
}
