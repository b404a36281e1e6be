import { readEnvironment } from '../platform/processes/environment.ts'
import type { Identity } from '../platform/processes/identity.ts'
import { isOurs } from '../platform/processes/owner.ts'
import { isAlive, readAlive } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { namesAgent } from '../registry/marker.ts'
import { socketsListenedToBy } from '../tmux/listener.ts'
import { recordedTmux, tmuxVariable } from '../tmux/recorded.ts'
import { recordedSubreaper } from './recorded.ts'

/**
 * The subreaper that an agent's entry names, when the process itself confirms it; otherwise undefined. The agent can write
 * the registry and name any process, whose children would then count as the agent's. So the process must belong to our user,
 * must not be a tmux server, and must have the agent's marker and the recorded pane in its environment. Its parent must be
 * the pane's process while that lives; afterwards it may be any.
 */
export function subreaperOf(ref: AgentRef, entry: AgentEntry): Identity | undefined {
  const named = recordedSubreaper(entry)
  const tmux = recordedTmux(entry)
  if (!named || !tmux) return undefined
  const { pid } = named
  const now = readAlive(named)
  if (!now || !isOurs(pid)) return undefined
  const { pane_pid, pane_start } = tmux
  const isPaneAlive = pane_start !== undefined && isAlive({ pid: pane_pid, start: pane_start })
  if (isPaneAlive && now.ppid !== pane_pid) return undefined
  const environment = readEnvironment(pid)
  const isInPane =
    environment.pane === tmux.pane_id &&
    environment.tmux === tmuxVariable(tmux.socket, tmux.server_pid, tmux.session_id)
  if (!isInPane || !namesAgent(ref, entry)(environment.marker, pid)) return undefined
  // A subreaper listens nowhere, and a tmux server does, whatever it is called.
  return socketsListenedToBy(pid).length === 0 ? named : undefined
}
