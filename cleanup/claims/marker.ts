import { sharesPids } from '../platform/processes/namespaces.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import { namesAgent } from '../registry/marker.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import type { Observation } from './observation.ts'
import { agentServers } from './other-agents.ts'
import type { Place } from './place.ts'

/** How far up it is asked, by parents and by tmux servers within each other: an environment could name a circle. */
const DEEPEST = 8

/**
 * Tells whether the marker in a process's environment is a reason to claim it. Whoever can reach a tmux server can put
 * the marker into what it starts from then on (`tmux set-environment -g`): the user's panes, and jobs. So for what a
 * server has started that is not in the agent's place, the marker counts only if the server itself is the agent's: it
 * was started with the marker, and is not one that others are known to live in. What outlived a server that is gone
 * has no more to tell.
 */
export function markerCounts(observation: Observation, { isOwn }: Place): (process: SeenProcess) => boolean {
  const { location, table, entry } = observation
  const isMarked = namesAgent(observation.ref)
  const isHomeToAgents = agentServers(observation.ref.workspace)
  const isShared = (server: SeenProcess) => server.pid === location.server?.pid || isHomeToAgents(server)
  // A server that was started with the agent's marker hands it on to all that it starts, whoever's it is.
  const isServerMarked = isMarked(table.get(location.server?.pid ?? -1)?.environment.marker)
  // Where no place was recorded, nothing else ties to the agent what has outlived its pane.
  const isPaneGone = ({ environment: { pane } }: SeenProcess) =>
    pane !== undefined && !location.listed.panes.has(pane) && !recordedTmux(entry)

  const counts = (process: SeenProcess, depth = 0): boolean => {
    const { environment } = process
    if (!isMarked(environment.marker) || !sharesPids(process.pid)) return false
    if (isOwn(environment)) return true
    if (isServerMarked) return false
    const server = serverOf(environment.tmux ?? '', table)
    if (!server) {
      // A program that was started without TMUX (`env -u TMUX`) has the marker from its parent, and it counts as there.
      const parent = table.get(process.ppid)
      return !parent || !isMarked(parent.environment.marker) || (depth < DEEPEST && counts(parent, depth + 1))
    }
    if (isShared(server)) return server.pid === location.server?.pid && isPaneGone(process)
    return depth < DEEPEST && (isOwn(server.environment) || counts(server, depth + 1))
  }
  return process => counts(process)
}

/** The server that a value of TMUX names (`<socket>,<pid>,<session>`), as long as it runs. */
function serverOf(tmux: string, table: ProcessTable): SeenProcess | undefined {
  const server = table.get(Number(/,(\d+),-?\d+$/.exec(tmux)?.[1]))
  return server?.comm.startsWith('tmux') ? server : undefined
}
