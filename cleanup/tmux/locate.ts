import { setTimeout as sleep } from 'node:timers/promises'
import type { Identity } from '../platform/processes/identity.ts'
import { isAlive, startOf } from '../platform/processes/table.ts'
import type { AgentEntry, RecordedTmux } from '../registry/entries.ts'
import { requireWorld } from '../registry/world.ts'
import { tmuxUnreachable } from './query.ts'
import { namedSession, recordedTmux } from './recorded.ts'
import { readServer, type TmuxPane, type TmuxServer, type TmuxSession } from './server.ts'
import { defaultSocket } from './sockets.ts'
import { whyUnreachable } from './unreachable-server.ts'

/** Where an agent is in tmux now. */
export interface TmuxLocation {
  /** The socket's path as the server names it, which is what TMUX holds in the processes of its panes. */
  socket: string
  /** The path through which we query that server. */
  path: string
  /** The server that answered; undefined when there is none. */
  server: Identity | undefined
  /** The place recorded at the deploy; undefined when another process has the server's pid by now. */
  recorded: RecordedTmux | undefined
  session: (Pick<TmuxSession, 'id' | 'name' | 'created' | 'attached'> & Partial<TmuxSession>) | undefined
  panes: AgentPane[]
  /** The ids of all sessions and panes on the server, those of others included. */
  listed: { sessions: ReadonlySet<string>; panes: ReadonlySet<string> }
  /** True when an earlier search has seen more than its name tie the session to the agent (claims/which-server.ts). */
  isProven?: boolean
  /** Why nothing may be ended there, in a sentence: the session has the agent's name, and nothing shows that it is the agent's. */
  unproven?: string
  /** Why tmux could not be asked: then this is what was known before, and session, panes and `listed` may be incomplete. */
  tmuxError?: unknown
}

export interface AgentPane extends TmuxPane {
  /** True when another session shows this pane as well. The pane may have been created there. */
  shared: boolean
}

/** The number of a window that is not in the agent's session. */
const ELSEWHERE = -1

/** How long a server that no longer answers may take to exit, in ms: it closes its socket shortly before. */
const SERVER_EXIT_MS = 1_000

/**
 * Finds an agent's session by comparing exactly with tmux's list. A name is never passed to tmux, which would match it as a
 * prefix and a pattern. Where only a name is recorded, `named` is the socket that is asked (claims/which-server.ts).
 * Throws a CleanupError when the answer is not certain (`tmux-unreachable`), and when the agent was deployed in another
 * world (`elsewhere`).
 */
export async function locate(entry: AgentEntry, named = defaultSocket()): Promise<TmuxLocation> {
  const recorded = recordedTmux(entry)
  const socket = recorded?.socket ?? named
  // A server of ours cannot hold what has ended with its world, whatever its number and its sessions are called.
  if (requireWorld(entry) !== undefined) return nowhere(socket)
  const found = await readServer(socket, recorded?.server_pid)
  if (recorded && found?.pid !== recorded.server_pid) await requireEnded(recorded)
  return locationOn(entry, socket, found)
}

/** Where an agent is by what the server of a socket answered; undefined for no server. */
export function locationOn(entry: AgentEntry, socket: string, found: TmuxServer | undefined): TmuxLocation {
  const recorded = recordedTmux(entry)
  const server = found && identify(found.pid)
  const session = found?.sessions.find(candidate => isOurs(candidate, entry, recorded, server))
  return {
    socket: found?.socket ?? socket,
    path: socket,
    server,
    recorded: recorded && isCurrent(recorded, server) ? recorded : undefined,
    session: session && {
      id: session.id,
      name: session.name,
      created: session.created,
      attached: session.attached,
      lastAttached: session.lastAttached,
      lastActive: session.lastActive,
    },
    panes: found ? panesOf(found, session, sameServer(recorded, server) ? recorded : undefined) : [],
    listed: {
      sessions: new Set(found?.sessions.map(({ id }) => id)),
      panes: new Set(found?.sessions.flatMap(({ panes }) => panes.map(({ id }) => id))),
    },
  }
}

const nowhere = (socket: string): TmuxLocation => ({
  ...{ socket, path: socket, server: undefined, recorded: undefined, session: undefined, panes: [] },
  listed: { sessions: new Set(), panes: new Set() },
})

function isOurs(
  session: TmuxSession,
  entry: AgentEntry,
  recorded: RecordedTmux | undefined,
  server: Identity | undefined,
): boolean {
  if (recorded) {
    const { session_id, session_created } = recorded
    return sameServer(recorded, server) && session.id === session_id && session.created === session_created
  }
  const { name } = namedSession(entry)
  return session.name === name || session.id === name || session.panes.some(pane => pane.id === name)
}

/** The panes of the agent's session, and the pane that it was deployed in, wherever that was moved. */
function panesOf(
  server: TmuxServer,
  session: TmuxSession | undefined,
  recorded: RecordedTmux | undefined,
): AgentPane[] {
  const others = server.sessions.filter(other => other !== session).flatMap(other => other.panes)
  const own = (session?.panes ?? []).map(pane => ({
    ...pane,
    shared: others.some(({ id }) => id === pane.id),
  }))
  const moved = others.find(({ id }) => id === recorded?.pane_id)
  return moved && !own.some(({ id }) => id === moved.id)
    ? [...own, { ...moved, shared: true, window: ELSEWHERE }]
    : own
}

/** Throws unless a recorded server that does not answer on its socket has ended. While it runs, its sessions may exist. */
async function requireEnded(recorded: RecordedTmux): Promise<void> {
  if (recorded.server_start === undefined) return
  const server = { pid: recorded.server_pid, start: recorded.server_start }
  const deadline = performance.now() + SERVER_EXIT_MS
  while (isAlive(server)) {
    if (performance.now() > deadline)
      throw tmuxUnreachable(
        recorded.socket,
        ['list-sessions'],
        `its server ${server.pid} runs, and ${await whyUnreachable(server, recorded.socket)}`,
      )
    await sleep(5)
  }
}

function isCurrent(recorded: RecordedTmux, server: Identity | undefined): boolean {
  if (recorded.server_start === undefined) return sameServer(recorded, server)
  const holder = startOf(recorded.server_pid)
  return holder === undefined || holder === recorded.server_start
}

function sameServer(recorded: RecordedTmux | undefined, server: Identity | undefined): boolean {
  if (recorded?.server_pid !== server?.pid) return false
  return recorded?.server_start === undefined || recorded.server_start === server?.start
}

function identify(pid: number): Identity | undefined {
  const start = startOf(pid)
  return start === undefined ? undefined : { pid, start }
}
