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

/** The value of TMUX in the processes of a session: socket, server and the session's number, never reused in a server's life. */
export const tmuxVariable = (socket: string, serverPid: number, sessionId: string): string =>
  `${socket},${serverPid},${sessionId.slice(1)}`
