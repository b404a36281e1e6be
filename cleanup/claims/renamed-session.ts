import { selfAndAncestors } from '../platform/processes/ancestry.ts'
import { type Machine, readMachine } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { TmuxLocation } from '../tmux/locate.ts'
import { readServer } from '../tmux/server.ts'
import { isOlder } from './age.ts'
import { partWriters, writesOtherLogs } from './log-writers.ts'

/**
 * True when an agent runs although tmux has no session of its recorded name: a process writes its log from a
 * living pane (somebody has renamed the session, or moved the window), or outside of tmux (the agent never was in tmux).
 */
export async function runsInRenamedSession(
  entry: AgentEntry,
  location: TmuxLocation,
  log: string,
  machine: Machine,
): Promise<boolean> {
  const writers = writersOf(entry, log, machine)
  if (writers.length === 0) return false
  const server = location.server && (await readServer(location.path))
  const panes = new Set(server?.sessions.flatMap(session => session.panes.map(({ id }) => id)))
  return writers.some(({ environment: { readable, tmux, pane } }) => {
    if (tmux === undefined) return readable && wasNeverInTmux(entry)
    return tmux.startsWith(`${location.socket},${server?.pid},`) && panes.has(pane ?? '')
  })
}

/** True when a process that runs below a living pane of the agent's server writes the agent's log, whatever session shows that pane. */
export async function writesFromPane(
  entry: AgentEntry,
  location: TmuxLocation,
  log: string,
): Promise<boolean> {
  const machine = await readMachine()
  const writers = writersOf(entry, log, machine)
  if (writers.length === 0) return false
  const server = await readServer(location.path)
  const panes = new Set(
    server?.sessions.flatMap(session => session.panes.filter(({ dead }) => !dead).map(({ pid }) => pid)),
  )
  return writers.some(writer =>
    selfAndAncestors(machine.table, writer.pid).some(
      ({ pid, ppid }) => panes.has(pid) && ppid === location.server?.pid,
    ),
  )
}

/** Where the entry names a session, a process that writes the log outside of tmux has emptied its environment, and is a leftover. */
const wasNeverInTmux = ({ tmux_session }: AgentEntry): boolean => typeof tmux_session !== 'string'

/** The processes that write this log and no other agent's, and that are not older than the agent, as an orchestrator is. */
function writersOf(entry: AgentEntry, log: string, { table, openFiles }: Machine) {
  return partWriters(openFiles, log).flatMap(({ pid }) => {
    const process = table.get(pid)
    return process && !writesOtherLogs(openFiles, log, pid) && !isOlder({ entry, table }, process)
      ? [process]
      : []
  })
}
