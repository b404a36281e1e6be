import type { SeenProcess } from '../platform/processes/table.ts'
import { namesAgent } from '../registry/marker.ts'
import { tmuxVariable } from '../tmux/recorded.ts'
import type { Observation } from './observation.ts'

type Environment = SeenProcess['environment']

/** Where TMUX and TMUX_PANE in a process's environment place it. */
export interface Place {
  /** They name the agent's own session or pane. */
  isOwn(environment: Environment): boolean
  /** They name a pane of the same server that is not the agent's. */
  isElsewhere(environment: Environment): boolean
  /** The value of TMUX in what was started in the recorded session, once that session is gone. */
  gone: string | undefined
}

/**
 * Compares TMUX and TMUX_PANE with the agent's session (shared-session.ts has dropped any other). A session that is gone is
 * known from the registry alone, which the agent can write: a process that was started there counts only with the agent's
 * marker, and only if the server lists no session of that id, which would be a living one. A tmux job (`run-shell`, `#()`)
 * has TMUX without TMUX_PANE, and belongs to the server.
 */
export function placeOf({ ref, entry, location, sharedSession }: Observation): Place {
  const { recorded, server } = location
  const session = location.session ?? (sharedSession?.isBirthplace ? sharedSession : undefined)
  const isMarked = namesAgent(ref, entry)
  const own = server && session && tmuxVariable(location.socket, server.pid, session.id)
  const onServer = server && `${location.socket},${server.pid},`
  const isGone =
    recorded && !(recorded.server_pid === server?.pid && location.listed.sessions.has(recorded.session_id))
  const gone = isGone ? tmuxVariable(recorded.socket, recorded.server_pid, recorded.session_id) : undefined
  // A pane that another session shows too may have been born there; then only the session's id decides.
  const panes = new Set(location.panes.filter(pane => !pane.shared).map(pane => pane.id))

  const isOwn = ({ tmux, pane, marker }: Environment): boolean => {
    if (tmux === undefined || pane === undefined) return false
    if (tmux === own || (onServer && tmux.startsWith(onServer) && panes.has(pane))) return true
    return tmux === gone && isMarked(marker)
  }
  const isElsewhere = (environment: Environment): boolean =>
    environment.pane !== undefined &&
    onServer !== undefined &&
    environment.tmux?.startsWith(onServer) === true &&
    !isOwn(environment)
  return { isOwn, isElsewhere, gone }
}
