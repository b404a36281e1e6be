import { singleFlight } from '../platform/single-flight.ts'
import { isServerOf } from './own-socket.ts'
import { queryTmux, tmuxUnreachable } from './query.ts'

/** What one tmux server holds at one moment. */
export interface TmuxServer {
  pid: number
  /** The socket as the server itself names it, which is how it stands in TMUX of every process below. */
  socket: string
  /** The path by which it answered. What the server calls its socket may lead to another server. */
  path: string
  sessions: TmuxSession[]
}

export interface TmuxSession {
  /** `$3`: never used again in a server's life. */
  id: string
  name: string
  /** Seconds since 1970. */
  created: number
  panes: TmuxPane[]
}

export interface TmuxPane {
  /** `%7`: never used again in a server's life. */
  id: string
  /** The process tmux started in it. Of a dead pane (`remain-on-exit`) the number may be somebody else's by now. */
  pid: number
  dead: boolean
}

// list-panes would be the plain way, but fails with "no current target" on a server that has no session left,
// so the panes are listed from within each session. Its name comes last: only a name can hold a space.
const SERVER_FORMAT = '#{pid} #{socket_path}'
const SESSION_FORMAT =
  '#{session_id} #{session_created} #{W:#{P:#{pane_id}=#{pane_pid}=#{pane_dead} }}| #{session_name}'
const END = 'end of the list'
const QUESTION = [
  ...['display-message', '-p', SERVER_FORMAT, ';'],
  ...['list-sessions', '-F', SESSION_FORMAT, ';'],
  ...['display-message', '-p', END],
]

/** How long a server is left alone between two questions, in ms: starting a tmux client takes about as long. */
const REST_MS = 4

/** How often a server is asked that does not say all. */
const TRIES = 5

const passes = new Map<string, () => Promise<TmuxServer | undefined>>()
/** The pids of the servers, by their sockets, as somebody told us. */
const holders = new Map<string, number>()

/**
 * What the server behind a socket holds, or undefined when there is certainly no server. Calls of one turn of the
 * event loop share one question. Throws `tmux-unreachable`, also for a line it does not understand: half an answer
 * must not be taken for a whole one. A server that is known to be `expected` is given more time when it is busy.
 */
export function readServer(socket: string, expected?: number): Promise<TmuxServer | undefined> {
  if (expected !== undefined) holders.set(socket, expected)
  let pass = passes.get(socket)
  if (!pass) {
    pass = singleFlight(() => askServer(socket), REST_MS)
    passes.set(socket, pass)
  }
  return pass()
}

async function askServer(socket: string, tries = TRIES): Promise<TmuxServer | undefined> {
  const answer = await queryTmux(socket, QUESTION, holders.get(socket))
  if (answer === 'no-server') return undefined
  // A client now and then ends well without having said all when very many ask at once (3.3a). Sessions that it did not
  // come to would be taken for gone.
  if (answer.at(-1) !== END) {
    if (tries > 1) return askServer(socket, tries - 1)
    throw notUnderstood(socket, answer.at(-1))
  }
  const [about, ...sessions] = answer.slice(0, -1)
  const found = /^(\d+) (.+)$/.exec(about ?? '')
  if (!found?.[2]) throw notUnderstood(socket, about)
  const pid = Number(found[1])
  if (!isServerOf(socket, pid)) {
    // One that answered on its way out has closed its socket since, and is asked in vain.
    if (tries > 1) return askServer(socket, tries - 1)
    throw tmuxUnreachable(socket, QUESTION, `it calls itself process ${pid}, which does not listen there`)
  }
  return {
    pid,
    socket: found[2],
    path: socket,
    sessions: sessions.map(line => parseSession(socket, line)),
  }
}

function parseSession(socket: string, line: string): TmuxSession {
  const found = /^(\$\d+) (\d+) ((?:%\d+=\d*=[01]? )*)\| (.*)$/.exec(line)
  if (!found) throw notUnderstood(socket, line)
  const [, id = '', created, panes = '', name = ''] = found
  return { id, name, created: Number(created), panes: panes.split(' ').filter(Boolean).map(parsePane) }
}

function parsePane(text: string): TmuxPane {
  const [id = '', pid, dead] = text.split('=')
  return { id, pid: Number(pid), dead: dead === '1' }
}

function notUnderstood(socket: string, line: string | undefined): Error {
  return tmuxUnreachable(
    socket,
    QUESTION,
    `it answered ${JSON.stringify(line ?? '')}, which was not expected`,
  )
}
