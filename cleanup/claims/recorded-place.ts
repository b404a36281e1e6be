import { limitMet } from '../platform/limits.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { namesAgent } from '../registry/marker.ts'
import type { TmuxLocation } from '../tmux/locate.ts'
import { recordedTmux, tmuxVariable } from '../tmux/recorded.ts'
import { isMarkedElsewhere } from './own-panes.ts'

/**
 * The place that was recorded at an agent's deploy, for a cleanup that cannot start a tmux client because a limit is met:
 * often by the agent itself, and then tmux can be asked only after its processes have ended. The registry alone proves
 * nothing, because the agent can write it. So /proc must confirm the record: its server runs, and the recorded session hands
 * out the agent's marker since its birth, to everything that the server started there and to nothing else on the server.
 * Its session and panes stay unknown, so only what carries that marker there is claimed, with its relatives. Rethrows
 * `tmuxError` in every other case.
 */
export function recordedPlace(
  ref: AgentRef,
  entry: AgentEntry,
  table: ProcessTable,
  tmuxError: unknown,
): TmuxLocation {
  const recorded = recordedTmux(entry)
  const server = recorded && table.get(recorded.server_pid)
  const isMarked = namesAgent(ref, entry)
  if (
    limitMet(tmuxError) === undefined ||
    !server ||
    server.start !== recorded.server_start ||
    isMarked(server.environment.marker)
  )
    throw tmuxError
  const variable = tmuxVariable(recorded.socket, recorded.server_pid, recorded.session_id)
  const inside = [...table.values()].filter(
    ({ environment }) => environment.tmux === variable && environment.sharesPids,
  )
  const isUnmarkedPane = (one: SeenProcess) => one.ppid === server.pid && !isMarked(one.environment.marker)
  if (
    !inside.some(one => isMarked(one.environment.marker)) ||
    inside.some(isUnmarkedPane) ||
    isMarkedElsewhere(table, variable, isMarked)
  )
    throw tmuxError
  return {
    socket: recorded.socket,
    path: recorded.socket,
    server: { pid: server.pid, start: server.start },
    recorded,
    session: undefined,
    panes: [],
    listed: { sessions: new Set(), panes: new Set() },
    tmuxError,
  }
}
