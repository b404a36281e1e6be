import type { SeenProcess } from '../platform/processes/table.ts'
import { namesAgent } from '../registry/marker.ts'
import { isTmuxServer } from '../tmux/is-server.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { livingSuspects } from './leftovers/suspects.ts'
import type { Observation } from './observation.ts'
import { onServers } from './others-live-in.ts'

/**
 * Tells the processes that others may have started, where the marker, a subreaper and a cgroup tie everything to the agent,
 * whoever started it. Nothing but that ties them to the agent, so they are named as suspects:
 *
 * - **Born on a tmux server that the agent started**, in another session than the one that was opened with the server. That
 *   session may have closed since, and the server may have ended.
 * - **Born in a pane that others live in**, or maybe on a server where others live or lived, and TMUX is gone (`TMUX= tmux`,
 *   `env -u TMUX`). TMUX_PANE alone does not tell the server.
 * - **On a tmux server of this kind.**
 * - **Named by an earlier cleanup**, which saw more: what it left, it has left for good.
 *
 * An agent's own program without TMUX is only named, too, while or after others had a session on a server that it started.
 */
export function handedOn(observation: Observation): (process: SeenProcess) => boolean {
  const { table, entry, location, guests, sharedServers, wasShared } = observation
  const guestIds = new Set(guests.map(({ id }) => id))
  const isShared = sharedServers.length > 0 || wasShared === true
  const shared = new Map(sharedServers.map(one => [one.server.pid, one]))
  const named = new Set(livingSuspects(entry, table).map(({ pid }) => pid))

  const isElsewhere = ({ environment }: SeenProcess): boolean => {
    const { tmux, pane } = environment
    if (!tmux) return isShared || (pane !== undefined && guestIds.has(pane))
    const [, socket, server, session] = /^(.*),(\d+),(\d+)$/.exec(tmux) ?? []
    if (pane === undefined || socket === undefined || socket === location.socket || !environment.sharesPids)
      return false
    const on = shared.get(Number(server))
    if (on) return !on.ownSessions.has(Number(session))
    // Without a record, the agent may have lived on a server that has ended.
    return session !== '0' && (table.has(Number(server)) || recordedTmux(entry) !== undefined)
  }
  const isOthers = (process: SeenProcess) => named.has(process.pid) || isElsewhere(process)

  let within: ReadonlySet<SeenProcess> | undefined
  return process => {
    if (isOthers(process)) return true
    const isMarked = namesAgent(observation.ref, entry)
    within ??= onServers(
      table,
      [...table.values()].filter(
        one =>
          one.pid !== location.server?.pid &&
          !shared.has(one.pid) &&
          isMarked(one.environment.marker) &&
          isOthers(one) &&
          isTmuxServer(one, table),
      ),
    )
    return within.has(process)
  }
}
