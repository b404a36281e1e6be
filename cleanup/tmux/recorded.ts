import { isJson, textOf } from '../platform/files/json.ts'
import { startOf } from '../platform/processes/table.ts'
import type { AgentEntry, RecordedTmux } from '../registry/entries.ts'

const NUMBER_FIELDS = ['server_pid', 'session_created', 'pane_pid']
const TEXT_FIELDS: [string, RegExp][] = [
  ['socket', /^\//],
  ['session_id', /^\$\d+$/],
  ['pane_id', /^%\d+$/],
]

/** The agent's place in tmux as our orchestrator recorded it; undefined when the field is incomplete or another program's. */
export function recordedTmux(entry: AgentEntry): RecordedTmux | undefined {
  const tmux: unknown = entry.tmux
  if (!isJson(tmux)) return undefined
  const whole =
    NUMBER_FIELDS.every(name => Number.isSafeInteger(tmux[name])) &&
    TEXT_FIELDS.every(([name, shape]) => shape.test(textOf(tmux[name])))
  return whole ? (tmux as unknown as RecordedTmux) : undefined
}

/**
 * The session that an entry without a record names, by default `agent_<id>`. The name may be a tmux target within a session
 * (`work:2.1`, `%3`, `$2`). `isPart` is then true: the session is not the agent's own. tmux replaces "." and ":" in session
 * names by "_", and so does this.
 */
export function namedSession({ id, tmux_session }: Pick<AgentEntry, 'id' | 'tmux_session'>): {
  name: string
  isPart: boolean
} {
  const target = typeof tmux_session === 'string' ? tmux_session : `agent_${id}`
  const [session = target] = target.split(':')
  return { name: session.replaceAll('.', '_'), isPart: session !== target || /^[%$]\d+$/.test(target) }
}

/** The value of TMUX in the processes of a session: socket, server pid, and the session's number, which a server never reuses. */
export const tmuxVariable = (socket: string, serverPid: number, sessionId: string): string =>
  `${socket},${serverPid},${sessionId.slice(1)}`

/** The format (`new-session -P -F`) of the line that `recordOf` parses. The socket comes last: only its path can contain a space. */
export const RECORD_FORMAT = '#{pid} #{session_id} #{session_created} #{pane_id} #{pane_pid} #{socket_path}'

/** The record of a session that was just created, from the line that tmux printed. */
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
    // A pane that ended at once gets 0, which matches no process, so the next process with its pid is not mistaken for it.
    pane_start: startOf(pane_pid) ?? 0,
  }
}
