import { startOf } from '../processes/table.ts'
import { isJson } from '../workspace/registry-file.ts'
import type { AgentEntry, RecordedTmux } from '../workspace/registry-types.ts'

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
    WORDS.every(([name, shape]) => shape.test(String(tmux[name])))
  return whole ? (tmux as unknown as RecordedTmux) : undefined
}

/** The name of an agent's session, where nothing but a name is known: by the layout, if its entry does not say. */
export const sessionNameOf = ({ id, tmux_session }: AgentEntry): string =>
  typeof tmux_session === 'string' ? tmux_session : `agent_${id}`

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
