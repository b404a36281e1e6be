import type { Machine } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { TmuxLocation } from '../tmux/locate.ts'
import { tmuxUnreachable } from '../tmux/query.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { logWriters, writesOtherLogs } from './log-writers.ts'

/**
 * Of an agent whose place in tmux nobody recorded only a name is known, and it is looked for on the server that is ours:
 * started by another user, or without the orchestrator's TMUX_TMPDIR, that is another one than the agent's. So it is not
 * gone when its log is written from a pane of a server that runs and was not asked. Throws `tmux-unreachable` then.
 */
export function requireKnownServer(
  entry: AgentEntry,
  location: TmuxLocation,
  log: string,
  { table, openFiles }: Machine,
): void {
  if (location.session || recordedTmux(entry)) return
  for (const { pid } of logWriters(openFiles, log)) {
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
