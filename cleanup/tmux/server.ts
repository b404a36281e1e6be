import { singleFlight } from '../platform/single-flight.ts'
import { isServerOf } from './own-socket.ts'
import { queryTmux, tmuxUnreachable } from './query.ts'

/** The sessions and panes of one tmux server at one moment. */
export interface TmuxServer {
  pid: number
  /** The socket's path as the server names it, which is what TMUX holds in its processes. */
  socket: string
  /** The path through which it answered. The server's own path may lead to another server. */
  path: string
  /** How many sessions were opened on it; undefined where tmux does not tell. */
  sessionsOpened: number | undefined
  sessions: TmuxSession[]
}

export interface TmuxSession {
  /** Such as `$3`. A server never reuses it. */
  id: string
  name: string
  /** The name of its group, whose sessions all show the same windows (`new-session -t`); empty for none. */
  group: string
  /** Seconds since 1970. */
  created: number
  /** The session that the command which started the server opened with it. */
  isFirst: boolean
  /** How many clients show it now. */
  attached: number
  /** When a client last attached to it, in seconds since 1970; 0 for never. */
  lastAttached: number
  /** When somebody last typed in it or attached to it, in seconds since 1970. */
  lastActive: number
  panes: TmuxPane[]
}

export interface TmuxPane {
  /** Such as `%7`. A server never reuses it. */
  id: string
  /** The process that tmux started in it. In a dead pane (`remain-on-exit`) the pid may belong to another process by now. */
  pid: number
  dead: boolean
  /** The number of its window within this answer's list of the session: it only tells which panes share one. */
  window: number
}

// list-panes fails with "no current target" on a server without sessions, so the format of list-sessions loops over windows
// and panes. The names come last: only they can contain a space, and no name contains a colon. The numbers of windows and of
// panes show whether all are there.
const SERVER_FORMAT = '#{pid},#{next_session_id} #{socket_path}'
const SESSION_FORMAT =
  '#{session_id} #{session_created},#{start_time},#{session_attached},#{session_last_attached},#{session_activity} #{session_windows} #{W:#{window_panes} #{P:#{pane_id}=#{pane_pid}=#{pane_dead} }}| #{session_group}:#{session_name}'
const END = 'end of the list'
const QUERY = [
  ...['display-message', '-p', SERVER_FORMAT, ';'],
  ...['list-sessions', '-F', SESSION_FORMAT, ';'],
  ...['display-message', '-p', END],
]

/** The pause between two queries of a server, in ms: about the time that a tmux client needs to start. */
const REST_MS = 4

/**
 * How long after the server its first session may be opened, in s: it reads its configuration first, and the times are whole
 * seconds. A server that was started alone (`start-server`) gets its first session from anybody, at any time.
 */
const FIRST_WITHIN_S = 2

/** How often a server is queried whose answer is incomplete, or not certainly its own. */
const TRIES = 5

const passes = new Map<string, () => Promise<TmuxServer | undefined>>()
/** The pids of the servers by socket, as callers expect them. */
const expectedPids = new Map<string, number>()

/**
 * The sessions and panes of a socket's server; undefined when there is certainly no server. Calls in the same turn of the
 * event loop share one query. A server with the pid `expected` is given more time while it is busy. Throws a CleanupError
 * (`tmux-unreachable`), also for a line that does not parse: part of an answer must not pass for the whole.
 */
export function readServer(socket: string, expected?: number): Promise<TmuxServer | undefined> {
  if (expected !== undefined) expectedPids.set(socket, expected)
  let pass = passes.get(socket)
  if (!pass) {
    pass = singleFlight(() => queryServer(socket), REST_MS)
    passes.set(socket, pass)
  }
  return pass()
}

/**
 * With very many queries at once, a client of tmux 3.3a sometimes exits with 0 before it has printed everything. From 3.7 on,
 * a server that gets no processor for 100 ms while it expands a format leaves out the rest of that line, or any part of it.
 * What is missing would be taken for gone, so such an answer is asked for again.
 */
async function queryServer(socket: string, tries = TRIES): Promise<TmuxServer | undefined> {
  const answer = await queryTmux(socket, QUERY, expectedPids.get(socket))
  if (answer === 'no-server') return undefined
  try {
    return parseServer(socket, answer)
  } catch (error) {
    if (tries === 1) throw error
    return queryServer(socket, tries - 1)
  }
}

function parseServer(socket: string, answer: readonly string[]): TmuxServer {
  if (answer.at(-1) !== END) throw notUnderstood(socket, answer.at(-1))
  const [about, ...sessions] = answer.slice(0, -1)
  const found = /^(\d+),(?:\$(\d+))? (.+)$/.exec(about ?? '')
  if (!found?.[3]) throw notUnderstood(socket, about)
  const pid = Number(found[1])
  // A server that answered while exiting has closed its socket by now. The next try finds that out.
  if (!isServerOf(socket, pid))
    throw tmuxUnreachable(socket, QUERY, `it claims to be process ${pid}, which does not listen there`)
  return {
    pid,
    socket: found[3],
    path: socket,
    sessionsOpened: found[2] === undefined ? undefined : Number(found[2]),
    sessions: sessions.map(line => parseSession(socket, line)),
  }
}

function parseSession(socket: string, line: string): TmuxSession {
  const found =
    /^(\$\d+) (\d+),(\d+),(\d+),(\d*),(\d+) (\d+) ((?:\d+ (?:%\d+=\d*=[01]? )*)*)\| ([^:]*):(.+)$/.exec(line)
  if (!found) throw notUnderstood(socket, line)
  const [
    ,
    id = '',
    created,
    serverStart,
    attached,
    lastAttached,
    lastActive,
    windows,
    list = '',
    group = '',
    name = '',
  ] = found
  const words = list.split(' ').filter(Boolean)
  const panes: TmuxPane[] = []
  let window = -1
  for (const word of words)
    if (word.startsWith('%')) panes.push(parsePane(word, window))
    else window++
  const panesByWindow = words.filter(word => !word.startsWith('%')).map(Number)
  const isWhole =
    panesByWindow.length === Number(windows) &&
    panesByWindow.reduce((sum, count) => sum + count, 0) === panes.length
  if (!isWhole) throw notUnderstood(socket, line)
  return {
    id,
    name,
    group,
    created: Number(created),
    isFirst: id === '$0' && Number(created) - Number(serverStart) <= FIRST_WITHIN_S,
    attached: Number(attached),
    lastAttached: Number(lastAttached),
    lastActive: Number(lastActive),
    panes,
  }
}

function parsePane(text: string, window: number): TmuxPane {
  const [id = '', pid, dead] = text.split('=')
  return { id, pid: Number(pid), dead: dead === '1', window }
}

function notUnderstood(socket: string, line: string | undefined): Error {
  return tmuxUnreachable(
    socket,
    QUERY,
    `it answered ${JSON.stringify(line ?? '')}, which is not in the expected format`,
  )
}
