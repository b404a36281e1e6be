import { type Containment, readContainment } from '../containment/contained.ts'
import { words } from '../errors.ts'
import {
  type Machine,
  type ProcessTable,
  readMachine,
  readMachineAgain,
  readTable,
} from '../platform/processes/table.ts'
import { agentFiles } from '../registry/agent-files.ts'
import type { AgentEntry, TaskRegistry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { everyEntry, requireAgent } from '../registry/registry.ts'
import { locate, type Whereabouts } from '../tmux/locate.ts'
import { requireAskedServer } from './other-server.ts'
import { withoutOthers } from './shared-session.ts'

/** All that is looked at to decide which processes are one agent's. */
export interface Scene extends Machine {
  ref: AgentRef
  entry: AgentEntry
  /** Every agent of the task, this one included. */
  agents: readonly AgentEntry[]
  /** The stream log's path as the kernel names it. */
  log: string
  where: Whereabouts
  contained: Containment
  /** The session's name where it is not the agent's own by its id: of one that no registry lists. */
  sessionName?: string
  /** A session that is called as the agent's would be and is left alone, and why, in a sentence. */
  namesake?: { id: string; why: string }
}

/** Looks at tmux, processes and descriptors, once each. Ends nothing; throws what cannot be looked at. */
export async function look(ref: AgentRef, registry: TaskRegistry, sessionName?: string): Promise<Scene> {
  const entry = requireAgent(registry, ref)
  const log = agentFiles(ref, entry).stream
  const [where, machine] = await Promise.all([locate(entry), readMachine()])
  requireAskedServer(entry, where, log, machine)
  return withoutOthers({
    ref,
    entry,
    agents: everyEntry(registry),
    log,
    where,
    contained: readContainment(ref, entry),
    ...machine,
    ...(sessionName !== undefined && { sessionName }),
  })
}

/** Looks for processes only: in one pass over /proc, without a word to tmux. */
export async function lookForProcesses(scene: Scene): Promise<Scene> {
  return withTable(scene, await readTable())
}

/**
 * A scene with the processes as they are now. Descriptors that were seen before are left out and count as never read,
 * because their process may have ended and its number may be somebody else's.
 */
export function withTable(scene: Scene, table: ProcessTable): Scene {
  const contained = readContainment(scene.ref, scene.entry)
  return { ...scene, contained, table, openFiles: new Map(), openedAt: Number.NEGATIVE_INFINITY }
}

/** A look, and why tmux could not be asked if it could not. */
export interface Seen {
  scene: Scene
  tmuxError?: unknown
}

/** Where the agent is in tmux now, or what tmux said instead. */
export type Asked = Promise<{ where: Whereabouts; tmuxError?: unknown }>

/** Asks tmux again, ahead of a look: its answer takes as long as a pass over /proc. */
export function askAgain({ entry, where: before }: Scene): Asked {
  return locate(entry).then(
    where => ({ where }),
    (tmuxError: unknown) => ({ where: before, tmuxError }),
  )
}

/** Looks at everything but the registry again. A tmux that cannot be asked is returned as what it said. */
export async function lookAgain(scene: Scene, asked: Asked = askAgain(scene)): Promise<Seen> {
  const [{ where, ...failure }, machine] = await Promise.all([asked, readMachineAgain(scene)])
  const contained = readContainment(scene.ref, scene.entry)
  return { scene: sameVerdict(scene, { ...scene, where, contained, ...machine }), ...failure }
}

/** What was found of a session in the first look counts: by the last one those in it may have ended. */
function sameVerdict(before: Scene, { namesake: _, ...now }: Scene): Scene {
  const id = now.where.session?.id
  if (id === undefined || id === before.where.session?.id) return now
  if (!before.namesake || id !== before.namesake.id) return withoutOthersOrSession(now, id)
  const known = new Set(before.where.panes.map(pane => pane.id))
  const panes = now.where.panes.filter(pane => known.has(pane.id))
  return { ...now, namesake: before.namesake, where: { ...now.where, session: undefined, panes } }
}

/** In the middle of a cleaning a registry that cannot be read stops nothing: the session that it may list is left alone. */
function withoutOthersOrSession(scene: Scene, id: string): Scene {
  try {
    return withoutOthers(scene)
  } catch (error) {
    const where = { ...scene.where, session: undefined, panes: [] }
    return { ...scene, where, namesake: { id, why: words(error) } }
  }
}
