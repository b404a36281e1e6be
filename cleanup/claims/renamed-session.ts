import { sharesPids } from '../platform/processes/namespaces.ts'
import { type Machine, readMachine } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { TmuxLocation } from '../tmux/locate.ts'
import { readServer } from '../tmux/server.ts'
import { isOlder } from './age.ts'
import { logWriters, writesOtherLogs } from './log-writers.ts'
import { requireKnownServer } from './other-server.ts'

/**
 * Whether an agent of which only a name is known, and that has no session of that name, runs all the same: its log is
 * written from a pane that lives (somebody has renamed the session, or moved the window), from within a container, or by a
 * process that is in no tmux (it never was). Throws `tmux-unreachable` when that pane is on a server that was not asked.
 */
export async function runsInRenamedSession(
  entry: AgentEntry,
  location: TmuxLocation,
  log: string,
): Promise<boolean> {
  const machine = await readMachine()
  requireKnownServer(entry, location, log, machine)
  const writers = writersOf(entry, log, machine)
  if (writers.length === 0) return false
  const server = location.server && (await readServer(location.path))
  const panes = new Set(server?.sessions.flatMap(session => session.panes.map(({ id }) => id)))
  return writers.some(({ pid, environment: { readable, tmux, pane } }) => {
    // In a container, where the numbers of panes and servers mean others.
    if (!sharesPids(pid)) return true
    if (tmux === undefined) return readable && wasNeverInTmux(entry)
    return tmux.startsWith(`${location.socket},${server?.pid},`) && panes.has(pane ?? '')
  })
}

/** Where a session is named, what writes the log outside of tmux has emptied its environment, and is a leftover. */
const wasNeverInTmux = ({ tmux_session }: AgentEntry): boolean => typeof tmux_session !== 'string'

/** Who writes the log and no other agent's, and was not there before the agent: that would be an orchestrator. */
function writersOf(entry: AgentEntry, log: string, { table, openFiles }: Machine) {
  return logWriters(openFiles, log).flatMap(({ pid }) => {
    const process = table.get(pid)
    return process && !writesOtherLogs(openFiles, log, pid) && !isOlder({ entry, table }, process)
      ? [process]
      : []
  })
}
