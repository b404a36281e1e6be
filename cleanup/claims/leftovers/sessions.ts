import path from 'node:path'
import { realWorkspace } from '../../platform/files/real-path.ts'
import { withDescendants } from '../../platform/processes/ancestry.ts'
import { type ProcessTable, readTable, startOf } from '../../platform/processes/table.ts'
import type { AgentEntry } from '../../registry/entries.ts'
import { validateAgentId } from '../../registry/ids.ts'
import type { AgentRef } from '../../registry/layout.ts'
import { agentsByMarker } from '../../registry/marker.ts'
import { namedSession, tmuxVariable } from '../../tmux/recorded.ts'
import type { TmuxServer, TmuxSession } from '../../tmux/server.ts'
import type { Observation } from '../observation.ts'
import { observe } from '../observe.ts'
import { isMarkedElsewhere } from '../own-panes.ts'

const PREFIX = 'agent_'
/** Stands for the task of an agent that no registry lists; no folder of that name is made. */
const NO_TASK = 'no-task'

/**
 * Tells the leftover sessions of some workspaces (real paths): those named `agent_*` that none of `agents`, the entries of
 * their registries, lists, and in which nothing carries the marker of a listed agent, or of another workspace's.
 */
export function leftoverSessions(
  workspaces: ReadonlySet<string>,
  agents: readonly AgentEntry[],
  table: ProcessTable,
): (session: TmuxSession) => boolean {
  const names = new Set(agents.flatMap(agent => [`${PREFIX}${agent.id}`, namedSession(agent).name]))
  const agentOf = agentsByMarker()
  const isListedOrForeign = (marker: string | undefined): boolean => {
    const agent = agentOf(marker)
    return agent !== undefined && (!workspaces.has(agent.workspace) || names.has(`${PREFIX}${agent.agentId}`))
  }
  return session =>
    session.name.startsWith(PREFIX) &&
    !names.has(session.name) &&
    ![
      ...withDescendants(
        table,
        livePanes(session).flatMap(pid => table.get(pid) ?? []),
      ),
    ].some(({ environment }) => isListedOrForeign(environment.marker))
}

/** The processes that tmux started in the live panes of a session. */
export const livePanes = ({ panes }: TmuxSession): number[] =>
  panes.filter(({ dead }) => !dead).map(({ pid }) => pid)

/**
 * The agent of this workspace whose session this is by the marker; undefined where that is not certain. A deploy gives the
 * marker to a session at its birth, so every pane has it, and nothing else on the server. An agent that sets the marker
 * later, for a user's session or for the whole server (`tmux set-environment -g`), leaves panes without it, or with it
 * elsewhere.
 */
export function markedAgent(
  workspace: string,
  server: TmuxServer,
  session: TmuxSession,
  table: ProcessTable,
): AgentRef | undefined {
  const markers = livePanes(session).map(pid => table.get(pid)?.environment.marker)
  const [marker] = markers
  const agent = agentsByMarker()(marker)
  if (agent?.workspace !== realWorkspace(workspace) || markers.some(other => other !== marker))
    return undefined
  const own = tmuxVariable(server.socket, server.pid, session.id)
  return isMarkedElsewhere(table, own, other => other === marker) ? undefined : { ...agent, workspace }
}

/** Observes a leftover session as that of the agent that it would belong to if a registry listed it. */
export async function observeSession(
  workspace: string,
  server: TmuxServer,
  session: TmuxSession,
): Promise<Observation> {
  const marked = markedAgent(workspace, server, session, await readTable())
  const ref = marked ?? { workspace, taskId: NO_TASK, agentId: safeId(session.name.slice(PREFIX.length)) }
  const [pane] = session.panes
  const entry = {
    id: ref.agentId,
    status: 'running',
    tmux: {
      socket: server.path,
      server_pid: server.pid,
      session_id: session.id,
      session_created: session.created,
      pane_id: pane?.id ?? '%0',
      pane_pid: pane?.pid ?? 0,
      pane_start: (pane && !pane.dead && startOf(pane.pid)) || 0,
    },
  }
  const registry = { task_id: ref.taskId, agents: [entry] }
  const observation = await observe(ref, registry, { sessionName: session.name })
  if (marked) return observation
  // The task is not known, so the log is the open file that has its name.
  const log = [...observation.openFiles.keys()].find(
    file => path.basename(file) === `${ref.agentId}_stream.jsonl`,
  )
  return log === undefined ? observation : { ...observation, log }
}

/** An id that paths may be built from, whatever the session is called. */
function safeId(id: string): string {
  try {
    return validateAgentId(id)
  } catch {
    return 'unnamed'
  }
}
