import { isJson, textOf } from '../platform/files/json.ts'
import { startOf } from '../platform/processes/table.ts'
import type { AgentEntry, RecordedTmux } from '../registry/entries.ts'

const NUMBERS = ['server_pid', 'session_created', 'pane_pid']
const WORDS: [string, RegExp][] = [
  ['socket', /^\//],
  ['session_id', /^\$\d+$/],
  ['pane_id', /^%\d+$/],
]

/** What our orchestrator recorded of an agent's place in tmux, or undefined when it is not whole, or somebody else's field. */
export function recordedTmux(entry: AgentEntry): RecordedTmux | undefined {
  const tmux: unknown = entry.tmux
  if (!isJson(tmux)) return undefined
  const whole =
    NUMBERS.every(name => Number.isSafeInteger(tmux[name])) &&
    WORDS.every(([name, shape]) => shape.test(textOf(tmux[name])))
  return whole ? (tmux as unknown as RecordedTmux) : undefined
}

/**
 * The session that an agent is in by its entry, where nothing but words is known: by the layout, if the entry does not say.
 * It may name a part of a session as tmux's targets do (`work:2.1`, `%3`, `$2`); `isPart` then, and a session is not its own. tmux
 * itself writes "_" in a name where "." or ":" was asked for.
 */
export function namedSession({ id, tmux_session: told }: Pick<AgentEntry, 'id' | 'tmux_session'>): {
  name: string
  isPart: boolean
} {
  const words = typeof told === 'string' ? told : `agent_${id}`
  const [session = words] = words.split(':')
  return { name: session.replaceAll('.', '_'), isPart: session !== words || /^[%$]\d+$/.test(words) }
}

/** The value of TMUX in the processes of a session: socket, server and the session's number, never reused in a server's life. */
export const tmuxVariable = (socket: string, serverPid: number, sessionId: string): string =>
  `${socket},${serverPid},${sessionId.slice(1)}`

/** The format for tmux (`new-session -P -F`) whose answer `recordOf` reads. Only the socket's path can hold a space: it comes last. */
export const RECORD_FORMAT = '#{pid} #{session_id} #{session_created} #{pane_id} #{pane_pid} #{socket_path}'

/** What is to be recorded of a session that was just made, from the line that tmux answered. */
export function recordOf(line: string): RecordedTmux {
  const [server, session_id = '', created, pane_id = '', pane, ...socket] = line.trim().split(' ')
  const [server_pid, pane_pid] = [Number(server), Number(pane)]
  return {
    socket: socket.join(' '),
    server_pid,
    server_start: startOf(server_pid) ?? 0,
    session_id,
    session_created: Number(created),
    pane_id,
    pane_pid,
    // 0 fits no process: a pane that ended at once can not be mistaken for the next one with its pid.
    pane_start: startOf(pane_pid) ?? 0,
  }
}
