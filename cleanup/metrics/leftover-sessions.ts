import type { ProcessTable } from '../platform/processes/table.ts'
import { agentsByMarker } from '../registry/marker.ts'
import { readServer, type TmuxServer, type TmuxSession } from '../tmux/server.ts'
import { socketsOf } from '../tmux/sockets.ts'
import type { MeasuredAgent } from './measure-agent.ts'
import type { SessionFigures } from './measurement.ts'

/** Counts the sessions by owner; the workspaces are real paths. Throws a CleanupError (`tmux-unreachable`). */
export async function sessionFigures(
  agents: readonly MeasuredAgent[],
  workspaces: ReadonlySet<string>,
  table: ProcessTable | undefined,
): Promise<{ figures: SessionFigures; servers: TmuxServer[]; leftoverPanes: number[] }> {
  const sockets = socketsOf(agents.map(({ entry }) => entry))
  const servers = (await Promise.all(sockets.map(socket => readServer(socket)))).filter(
    server => server !== undefined,
  )
  const owners = new Map<string, MeasuredAgent>()
  for (const agent of agents) {
    const { server, session } = agent.location ?? {}
    if (server && session) owners.set(`${server.pid} ${session.id}`, agent)
  }
  const figures: SessionFigures = { active: 0, ended: 0, leftover: [] }
  const leftoverPanes: number[] = []
  const isElsewhere = foreign(workspaces, table)
  for (const server of servers)
    for (const session of server.sessions) {
      const owner = owners.get(`${server.pid} ${session.id}`)
      if (owner) figures[owner.row.state === 'live' ? 'active' : 'ended'] += 1
      else if (session.name.startsWith('agent_') && !isElsewhere(session)) {
        figures.leftover.push({ name: session.name, id: session.id, socket: server.socket })
        leftoverPanes.push(...session.panes.filter(pane => !pane.dead).map(pane => pane.pid))
      }
    }
  return { figures, servers, leftoverPanes }
}

/** A session of an agent in a workspace that is not measured is not a leftover. Only the marker identifies such an agent. */
function foreign(
  workspaces: ReadonlySet<string>,
  table: ProcessTable | undefined,
): (session: TmuxSession) => boolean {
  const agentOf = agentsByMarker()
  return ({ panes }) =>
    panes.some(({ pid }) => {
      const agent = agentOf(table?.get(pid)?.environment.marker)
      return agent !== undefined && !workspaces.has(agent.workspace)
    })
}
