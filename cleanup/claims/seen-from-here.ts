import { isNetworkFileSystem } from '../platform/files/network.ts'
import { statAt } from '../platform/files/stat-at.ts'
import { beganMs } from '../platform/processes/details.ts'
import { seesAllNamespaces, sharesPids } from '../platform/processes/namespaces.ts'
import { tellsOpenFiles } from '../platform/processes/open-files.ts'
import type { Machine } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { parseTimestamp } from '../registry/timestamps.ts'
import { elsewhere, recordedWorld } from '../registry/world.ts'
import type { TmuxLocation } from '../tmux/locate.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { partWriters } from './log-writers.ts'
import { strangerAtLog } from './strangers.ts'

/** How long a log is silent, in ms, before its agent counts as ended although nothing shows that it ran here. claude's longest command takes as long. */
const SILENT_MS = 600_000

/**
 * Refuses (`elsewhere`) to take an agent for gone that may run where we do not see it. An agent whose session, or whose recorded tmux
 * server, is here is seen. Any other is not gone
 * - while a process in another pid namespace writes its log;
 * - and, where its entry does not record its world (world.ts), because another orchestrator or an earlier version of ours
 *   wrote it, while its log was written lately, if the workspace may be shared with what we do not see, and nothing shows
 *   that the agent ran here; `wasSeen` shows it.
 */
export function requireSeenFromHere(
  entry: AgentEntry,
  location: TmuxLocation,
  log: string,
  machine: Machine,
  wasSeen = false,
): void {
  if (isSeen(location)) return
  const stranger = strangerAtLog(entry, log, machine)
  if (stranger !== undefined)
    throw elsewhere(entry, `process ${stranger}, in another pid namespace, writes its log`)
  if (recordedWorld(entry)) return
  if (!wasSeen && mayRunUnseen(entry, location, log, machine))
    throw elsewhere(
      entry,
      `its log was written less than ${SILENT_MS / 60_000} minutes ago, its workspace may be shared with others, and nothing shows that it ran here`,
    )
}

/** True when the agent's session is here, or the tmux server that it was deployed on. */
export const isSeen = ({ session, recorded, server }: TmuxLocation): boolean =>
  session !== undefined || (recorded !== undefined && server?.pid === recorded.server_pid)

/** The processes of other containers, and of other machines, are not in our table, and the files they hold are not either. */
function mayRunUnseen(
  entry: AgentEntry,
  { server }: TmuxLocation,
  log: string,
  { table, openFiles }: Machine,
): boolean {
  const stat = tellsOpenFiles ? statAt(log) : undefined
  if (!stat || Date.now() - stat.mtimeMs > SILENT_MS) return false
  if (seesAllNamespaces() && !isNetworkFileSystem(log)) return false
  // A server that was there when the agent began would have had its session.
  const found = table.get(server?.pid ?? -1)
  if (!recordedTmux(entry) && found && beganMs(found) < parseTimestamp(entry.started_at).earliest)
    return false
  return !partWriters(openFiles, log).some(({ pid }) => sharesPids(pid))
}
