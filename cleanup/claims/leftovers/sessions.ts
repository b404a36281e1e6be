import { canonicalWorkspaces, realWorkspace } from '../../platform/files/real-path.ts'
import { withDescendants } from '../../platform/processes/ancestry.ts'
import { beganMs, ROUNDED_MS } from '../../platform/processes/details.ts'
import type { OpenFiles } from '../../platform/processes/open-files.ts'
import { type Machine, type ProcessTable, type SeenProcess, startOf } from '../../platform/processes/table.ts'
import type { AgentEntry } from '../../registry/entries.ts'
import { validateAgentId } from '../../registry/ids.ts'
import type { AgentRef } from '../../registry/layout.ts'
import { isDone } from '../../registry/lifecycle.ts'
import { agentsByMarker } from '../../registry/marker.ts'
import { isWorkspaceFolder } from '../../registry/require-workspace.ts'
import { namedSession, tmuxVariable } from '../../tmux/recorded.ts'
import type { TmuxServer, TmuxSession } from '../../tmux/server.ts'
import type { Observation } from '../observation.ts'
import { observe } from '../observe.ts'
import { isMarkedElsewhere } from '../own-panes.ts'
import { type OfRemoved, ofRemovedWorkspaces } from './removed-workspaces.ts'
import { logWritersOf, writtenLogs } from './servers.ts'
import { finishedAtMs } from './started-again.ts'

const PREFIX = 'agent_'
/** Stands for the task of an agent that no registry lists; no folder of that name is made. */
export const NO_TASK = 'no-task'

/** What shows that a session is another workspace's. */
export interface OfOther {
  workspace: string
  /** For people. */
  why: string
}

/** What was found on the machine. */
interface Found {
  machine: Machine
  servers: readonly TmuxServer[]
  leftovers: { foreign: readonly (OfOther & { id: string; socket: string })[] }
}

/** An agent to which a process is tied. */
type Tie = AgentRef & { why: string; isByLog: boolean }

/**
 * Tells whose a session is that none of `agents`, the entries of some workspaces (real paths), lists: `leftover` of one that
 * is named `agent_*`, and the other workspace, which exists, where something in it carries the marker of an agent there or
 * writes the stream log of one. Undefined for all others, which are listed or have no agent's name. An agent that was cleaned
 * up before everything in a session began has no part in it, whatever its name. A session that somebody has grouped with an
 * agent's to look at it (`new-session -t`, which tmux names agent_x-1) counts as the agent's.
 */
export function whoseSession(
  workspaces: ReadonlySet<string>,
  agents: readonly AgentEntry[],
  { table, openFiles }: Machine,
  ofRemoved: (process: SeenProcess) => OfRemoved | undefined,
): (session: TmuxSession) => 'leftover' | OfOther | undefined {
  const doneAt = new Map<string, number>()
  for (const agent of agents)
    for (const name of [`${PREFIX}${agent.id}`, namedSession(agent).name])
      doneAt.set(name, Math.max(doneAt.get(name) ?? 0, finishedAtMs(agent)))
  const notDone = new Set(agents.filter(agent => !isDone(agent)).map(({ id }) => id))
  const isListed = (name: string, session: TmuxSession) => isOlder(session, doneAt.get(name), table)
  const agentsOf = tiesTo(workspaces, openFiles, ofRemoved)
  return session => {
    const { name, group } = session
    if (!name.startsWith(PREFIX) || isListed(name, session) || isListed(group, session)) return undefined
    const panes = livePanes(session).flatMap(pid => table.get(pid) ?? [])
    const ties = [...withDescendants(table, panes)].flatMap(agentsOf)
    const isOurs = ({ workspace }: AgentRef) => workspaces.has(workspace)
    // Whatever still writes the log of an agent that was cleaned up is left over from it.
    const isIts = ({ agentId, isByLog }: Tie) =>
      isByLog ? notDone.has(agentId) : isListed(`${PREFIX}${agentId}`, session)
    if (ties.some(agent => isOurs(agent) && isIts(agent))) return undefined
    const other = ties.find(agent => !isOurs(agent))
    // What writes a log of these workspaces, too, is theirs to name.
    if (!other || (other.isByLog && ties.some(isOurs))) return 'leftover'
    return { workspace: other.workspace, why: other.why }
  }
}

/** Tells the agents that a process is tied to, of some workspaces and of others that are there. */
function tiesTo(
  workspaces: ReadonlySet<string>,
  openFiles: OpenFiles,
  ofRemoved: (process: SeenProcess) => OfRemoved | undefined,
): (process: SeenProcess) => Tie[] {
  const agentOf = agentsByMarker(workspaces)
  const canonical = canonicalWorkspaces(workspaces)
  return process => {
    const { pid, comm, environment } = process
    const { marker } = environment
    const marked = ofRemoved(process)?.agent ? undefined : agentOf(marker)
    const logs = (writtenLogs(openFiles).get(pid) ?? []).map(({ file, agent }) => ({
      ...agent,
      workspace: canonical(agent.workspace),
      why: `process ${pid} (${comm}) writes ${file}`,
      isByLog: true,
    }))
    return [
      ...logs.filter(({ workspace }) => workspaces.has(workspace) || isWorkspaceFolder(workspace)),
      ...(marked
        ? [
            {
              ...marked,
              why: `process ${pid} (${comm}) carries LEAKRIG_AGENT=${marker}`,
              isByLog: false,
            },
          ]
        : []),
    ]
  }
}

/** The other workspace to which a process belongs, by the session that it runs in; undefined where nothing shows one. */
export function otherWorkspaceOf(
  pid: number,
  { machine: { table }, servers, leftovers }: Found,
): OfOther | undefined {
  return leftovers.foreign.find(({ id, socket }) => {
    const server = servers.find(one => one.socket === socket)
    const session = server?.sessions.find(one => one.id === id)
    const panes = session ? livePanes(session).flatMap(pane => table.get(pane) ?? []) : []
    return [...withDescendants(table, panes)].some(one => one.pid === pid)
  })
}

/**
 * True unless a session and everything in it began after a time, or so shortly before it that rounding explains it. tmux
 * knows its session's birth to the second only.
 */
function isOlder(session: TmuxSession, sinceMs: number | undefined, table: ProcessTable): boolean {
  if (sinceMs === undefined) return false
  const ofPanes = livePanes(session).flatMap(pid => table.get(pid) ?? [])
  const began = Math.min(session.created * 1000 + 999, ...ofPanes.map(one => beganMs(one)))
  return began + ROUNDED_MS < sinceMs
}

/** The processes that tmux started in the live panes of a session. */
export const livePanes = ({ panes }: TmuxSession): number[] =>
  panes.filter(({ dead }) => !dead).map(({ pid }) => pid)

/**
 * The agent of this workspace, or of one that was removed, whose session this is by the marker; undefined where that is not
 * certain. A deploy gives the marker to a session at its birth, so every pane has it, and nothing else on the server. An
 * agent that sets the marker later, for a user's session or for the whole server (`tmux set-environment -g`), leaves panes
 * without it, or with it elsewhere.
 */
export function markedAgent(
  workspace: string,
  server: TmuxServer,
  session: TmuxSession,
  machine: Machine,
): AgentRef | undefined {
  const { table } = machine
  const panes = livePanes(session).flatMap(pid => table.get(pid) ?? [])
  const [pane] = panes
  const marker = pane?.environment.marker
  const real = realWorkspace(workspace)
  const agent = agentsByMarker([real])(marker)
  if (!agent || !pane || panes.some(({ environment }) => environment.marker !== marker)) return undefined
  if (agent.workspace !== real && !ofRemovedWorkspaces(machine)(pane)?.agent) return undefined
  const own = tmuxVariable(server.socket, server.pid, session.id)
  if (isMarkedElsewhere(table, own, other => other === marker)) return undefined
  return agent.workspace === real ? { ...agent, workspace } : agent
}

/** Observes a leftover session as that of the agent that it would belong to if a registry listed it. */
export async function observeSession(
  workspace: string,
  server: TmuxServer,
  session: TmuxSession,
  machine: Machine,
): Promise<Observation> {
  const marked = markedAgent(workspace, server, session, machine)
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
  // Without a marker the task is not known, so the log is the open one of this workspace that has its name.
  const log = marked ? undefined : openLog(workspace, ref.agentId, machine.openFiles)
  return observe(ref, registry, { machine, sessionName: session.name, ...(log !== undefined && { log }) })
}

const openLog = (workspace: string, agentId: string, openFiles: OpenFiles): string | undefined =>
  [...logWritersOf(new Set([realWorkspace(workspace)]), openFiles, agentId).values()][0]

/** An id that paths may be built from, whatever the session is called. */
function safeId(id: string): string {
  try {
    return validateAgentId(id)
  } catch {
    return 'unnamed'
  }
}
