import path from 'node:path'
import { realWorkspace } from '../../platform/files/real-path.ts'
import { readEnvironment } from '../../platform/processes/environment.ts'
import { type ProcessTable, startOf } from '../../platform/processes/table.ts'
import type { AgentEntry } from '../../registry/entries.ts'
import { validateAgentId } from '../../registry/ids.ts'
import type { AgentRef } from '../../registry/layout.ts'
import { agentsByMarker } from '../../registry/marker.ts'
import { namedSession } from '../../tmux/recorded.ts'
import type { TmuxServer, TmuxSession } from '../../tmux/server.ts'
import type { Observation } from '../observation.ts'
import { observe } from '../observe.ts'
import { withDescendants } from './processes.ts'

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
    ![...withDescendants(table, livePanes(session))].some(({ environment }) =>
      isListedOrForeign(environment.marker),
    )
}

/** The processes that tmux started in the live panes of a session. */
export const livePanes = ({ panes }: TmuxSession): number[] =>
  panes.filter(({ dead }) => !dead).map(({ pid }) => pid)

/** The agent of this workspace that the marker in one of a session's panes names; undefined where none does. */
export function markedAgent(workspace: string, session: TmuxSession): AgentRef | undefined {
  const agentOf = agentsByMarker()
  const agents = livePanes(session).map(pid => agentOf(readEnvironment(pid).marker))
  const marked = agents.find(agent => agent?.workspace === realWorkspace(workspace))
  return marked && { ...marked, workspace }
}

/** Observes a leftover session as that of the agent that it would be, if a registry listed it. */
export async function observeSession(
  workspace: string,
  server: TmuxServer,
  session: TmuxSession,
): Promise<Observation> {
  const marked = markedAgent(workspace, session)
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
  // Nothing tells which task's folder such an agent writes its log to: it is the one open file of the log's name.
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
