import { selfAndAncestors } from '../platform/processes/ancestry.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import { isTmuxServer } from '../tmux/is-server.ts'

/**
 * What lies between a tmux server and the processes of other agents that run below it, these included and the server not. Its
 * children among them are the panes that other agents live in, whoever started the server. What runs on a server that was started
 * below this one is not meant: it needs only its own.
 */
export function betweenServerAndAgents(
  table: ProcessTable,
  server: SeenProcess,
  isOtherAgents: (process: SeenProcess) => boolean,
): ReadonlySet<SeenProcess> {
  const found = new Set<SeenProcess>()
  for (const process of table.values()) {
    const chain = belowServer(table, process)
    if (chain?.server === server && isOtherAgents(process)) for (const one of chain.below) found.add(one)
  }
  return found
}

/**
 * Tells the tmux servers that other agents live on, and what lies between the two. The agent's own server is not meant: it is
 * never ended, and an agent's pane is not spared for what runs below it.
 */
export function homesOfAgents(
  table: ProcessTable,
  ownServer: number | undefined,
  isOtherAgents: (process: SeenProcess) => boolean,
): (process: SeenProcess) => boolean {
  const known = new Map<SeenProcess, ReadonlySet<SeenProcess>>()
  return process => {
    const { server } = belowServer(table, process) ?? {}
    if (!server || server.pid === ownServer) return false
    const between = known.get(server) ?? betweenServerAndAgents(table, server, isOtherAgents)
    known.set(server, between)
    return process === server ? between.size > 0 : between.has(process)
  }
}

/** The nearest tmux server at or above a process, and the processes between the two, this one included. */
function belowServer(
  table: ProcessTable,
  { pid }: SeenProcess,
): { server: SeenProcess; below: SeenProcess[] } | undefined {
  const chain = selfAndAncestors(table, pid)
  const at = chain.findIndex(one => isTmuxServer(one, table))
  const server = chain[at]
  return server && { server, below: chain.slice(0, at) }
}
