import fs from 'node:fs'
import { isNetworkFileSystem } from '../platform/files/network.ts'
import { ageMs } from '../platform/processes/details.ts'
import { isInOtherNamespace, seesAllNamespaces, sharesPids } from '../platform/processes/namespaces.ts'
import { tellsOpenFiles } from '../platform/processes/open-files.ts'
import type { Machine } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { parseTimestamp } from '../registry/timestamps.ts'
import { elsewhere, isDeployedHere, recordedWorld } from '../registry/world.ts'
import type { TmuxLocation } from '../tmux/locate.ts'
import { tmuxUnreachable } from '../tmux/query.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { partWriters, writesOtherLogs } from './log-writers.ts'

/** How long a log is silent, in ms, before its agent counts as ended although nothing shows that it ran here. claude's longest command takes as long. */
const SILENT_MS = 600_000

/**
 * Refuses to take an agent for gone that may run where we do not see it. An agent whose session, or whose recorded tmux
 * server, is here is seen. Any other is not gone
 * - while a process in another pid namespace writes its log (`elsewhere`);
 * and, where its entry does not record its world (world.ts), because another orchestrator or an earlier version of ours
 * wrote it,
 * - while its log is written from a pane of a living tmux server that was not asked (`tmux-unreachable`): where no place in
 *   tmux is recorded, the session is searched for on our own default server, which for another user, or without the
 *   orchestrator's TMUX_TMPDIR, is not the agent's;
 * - while its log was written lately, if the workspace may be shared with what we do not see, and nothing shows that the
 *   agent ran here (`elsewhere`); `wasSeen` shows it.
 */
export function requireSeenFromHere(
  entry: AgentEntry,
  location: TmuxLocation,
  log: string,
  machine: Machine,
  wasSeen = false,
): void {
  if (isSeen(location)) return
  const stranger = partWriters(machine.openFiles, log).find(({ pid }) => isStranger(pid, entry, machine))
  if (stranger) throw elsewhere(entry, `process ${stranger.pid}, in another pid namespace, writes its log`)
  if (recordedWorld(entry)) return
  if (!recordedTmux(entry)) requireKnownServer(location, log, machine)
  if (!wasSeen && mayRunUnseen(entry, location, log, machine))
    throw elsewhere(
      entry,
      `its log was written less than ${SILENT_MS / 60_000} minutes ago, its workspace may be shared with others, and nothing shows that it ran here`,
    )
}

/** True when the agent's session is here, or the tmux server that it was deployed on. */
export const isSeen = ({ session, recorded, server }: TmuxLocation): boolean =>
  session !== undefined || (recorded !== undefined && server?.pid === recorded.server_pid)

/**
 * True for a process in a pid namespace below ours that the kernel does not tie to the agent's pane: it may be all that we
 * see of an agent which lives in a container. A sandbox that was started in the pane is in the pane's session.
 */
export function isStranger(pid: number, entry: AgentEntry, { table }: Pick<Machine, 'table'>): boolean {
  if (!isInOtherNamespace(pid)) return false
  const pane = recordedWorld(entry) && isDeployedHere(entry) ? recordedTmux(entry)?.pane_pid : undefined
  return pane === undefined || table.get(pid)?.sid !== pane
}

function requireKnownServer(location: TmuxLocation, log: string, { table, openFiles }: Machine): void {
  for (const { pid } of partWriters(openFiles, log)) {
    const [socket = '', server = ''] = table.get(pid)?.environment.tmux?.split(',') ?? []
    const isServer =
      table.get(Number(server))?.comm.startsWith('tmux') && Number(server) !== location.server?.pid
    if (isServer && !writesOtherLogs(openFiles, log, pid))
      throw tmuxUnreachable(
        location.socket,
        ['list-sessions'],
        `it has no session of that name, but process ${pid} writes the agent’s log from a pane of another server, ${socket}, where its session may be; set TMUX_TMPDIR as it is for the orchestrator, or be the same user`,
      )
  }
}

/** The processes of other containers, and of other machines, are not in our table, and the files they hold are not either. */
function mayRunUnseen(
  entry: AgentEntry,
  { server }: TmuxLocation,
  log: string,
  { table, openFiles }: Machine,
): boolean {
  const stat = tellsOpenFiles ? fs.lstatSync(log, { throwIfNoEntry: false }) : undefined
  if (!stat || Date.now() - stat.mtimeMs > SILENT_MS) return false
  if (seesAllNamespaces() && !isNetworkFileSystem(log)) return false
  // A server that was there when the agent began would have had its session.
  const found = table.get(server?.pid ?? -1)
  if (!recordedTmux(entry) && found && Date.now() - ageMs(found) < parseTimestamp(entry.started_at).earliest)
    return false
  return !partWriters(openFiles, log).some(({ pid }) => sharesPids(pid))
}
