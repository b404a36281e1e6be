import { sharesPids, shareTerminals } from '../platform/processes/namespaces.ts'
import type { SeenProcess } from '../platform/processes/table.ts'
import { tmuxVariable } from '../tmux/recorded.ts'
import type { Observation } from './observation.ts'

/**
 * In which pane of a session each process runs, by pid: tmux started it there, it has the pane's terminal, its
 * environment says so, or its parent runs there.
 */
export function panesOfProcesses({ location, table }: Observation): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  const { server, session } = location
  if (!server || !session) return found
  const children = Map.groupBy(table.values(), ({ ppid }) => ppid)
  const variable = tmuxVariable(location.socket, server.pid, session.id)
  const add = ({ pid }: SeenProcess, pane: string): void => {
    if (found.has(pid)) return
    found.set(pid, pane)
    for (const child of children.get(pid) ?? []) add(child, pane)
  }
  for (const pane of location.panes) {
    const process = pane.dead ? undefined : table.get(pane.pid)
    if (process?.ppid !== server.pid) continue
    add(process, pane.id)
    for (const other of table.values()) if (hasTerminalOf(other, process)) add(other, pane.id)
  }
  const ids = new Set(location.panes.map(({ id }) => id))
  for (const seen of table.values()) {
    const { tmux, pane } = seen.environment
    if (pane !== undefined && ids.has(pane) && tmux === variable && sharesPids(seen.pid)) add(seen, pane)
  }
  return found
}

/** The numbers of terminals are the same in every container. */
const hasTerminalOf = (one: SeenProcess, pane: SeenProcess): boolean =>
  one.tty !== 0 && one.tty === pane.tty && shareTerminals(pane.pid, one.pid)
