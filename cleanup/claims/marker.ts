import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import { namesAgent } from '../registry/marker.ts'
import { isTmuxServer } from '../tmux/is-server.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import type { Observation } from './observation.ts'
import { agentServers } from './other-agents.ts'
import type { Place } from './place.ts'

/** How many parents and nested tmux servers are followed: environments could name each other in a circle. */
const DEEPEST = 8

/**
 * Decides whether the marker in a process's environment counts as evidence. Anybody who can reach a tmux server can put the
 * marker into everything that it starts from then on (`tmux set-environment -g`): the user's panes, and jobs. So for a
 * process that a server has started outside of the agent's place, the marker counts only if the server itself is the
 * agent's: it was started with the marker, and no other agent is known to live in it. Once that server has ended, nothing
 * tells what it was. Then the marker counts in the session that was recorded for the agent, or if none was recorded.
 */
export function markerCounts(
  observation: Observation,
  { isOwn, gone }: Place,
): (process: SeenProcess) => boolean {
  const { location, table, entry } = observation
  const isMarked = namesAgent(observation.ref, entry)
  const isHomeToAgents = agentServers(observation.ref.workspace, table)
  const isShared = (server: SeenProcess) => server.pid === location.server?.pid || isHomeToAgents(server)
  // A server that was started with the agent's marker hands it on to everything that it starts, for anybody.
  const isServerMarked = isMarked(table.get(location.server?.pid ?? -1)?.environment.marker)
  // Where no place was recorded, nothing else ties a process that has outlived its pane to the agent.
  const isPaneGone = ({ environment: { pane } }: SeenProcess) =>
    pane !== undefined && !location.listed.panes.has(pane) && !recordedTmux(entry)

  const counts = (process: SeenProcess, depth = 0): boolean => {
    const { environment } = process
    if (!isMarked(environment.marker, process.pid) || !environment.sharesPids) return false
    if (isOwn(environment)) return true
    if (isServerMarked) return false
    const server = serverOf(environment.tmux ?? '', table)
    if (!server) {
      if (namesServer(environment.tmux) && environment.tmux !== gone && recordedTmux(entry)) return false
      // A program that was started without TMUX (`env -u TMUX`) has its parent's marker, which counts as it does there.
      const parent = table.get(process.ppid)
      return !parent || !isMarked(parent.environment.marker) || (depth < DEEPEST && counts(parent, depth + 1))
    }
    if (isShared(server)) return server.pid === location.server?.pid && isPaneGone(process)
    return depth < DEEPEST && (isOwn(server.environment) || counts(server, depth + 1))
  }
  return process => counts(process)
}

/** A value of TMUX: `<socket>,<pid>,<session>`. */
const PLACE = /,(\d+),-?\d+$/

const namesServer = (tmux = ''): boolean => PLACE.test(tmux)

/** The server that a value of TMUX names, as long as it runs. */
function serverOf(tmux: string, table: ProcessTable): SeenProcess | undefined {
  const server = table.get(Number(PLACE.exec(tmux)?.[1]))
  return server && isTmuxServer(server, table) ? server : undefined
}
