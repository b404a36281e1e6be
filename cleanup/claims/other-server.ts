import type { Machine } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { TmuxLocation } from '../tmux/locate.ts'
import { tmuxUnreachable } from '../tmux/query.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { partWriters, writesOtherLogs } from './log-writers.ts'

/**
 * Refuses to take an agent for gone that may be on another tmux server. Where its place in tmux was not recorded, only its
 * session's name is known, and that is searched for on our own default server. For another user, or without the
 * orchestrator's TMUX_TMPDIR, this is not the agent's server. So an agent is not gone while its log is written from a pane of
 * a living server that was not asked: then this throws `tmux-unreachable`.
 */
export function requireKnownServer(
  entry: AgentEntry,
  location: TmuxLocation,
  log: string,
  { table, openFiles }: Machine,
): void {
  if (location.session || recordedTmux(entry)) return
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
