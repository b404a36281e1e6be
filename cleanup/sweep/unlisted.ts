import path from 'node:path'
import { claim } from '../claims/claim.ts'
import type { Observation } from '../claims/observation.ts'
import { observe } from '../claims/observe.ts'
import { messageOf } from '../errors.ts'
import { realWorkspace } from '../platform/files/real-path.ts'
import { openWithin } from '../platform/files/within.ts'
import { ageMs } from '../platform/processes/details.ts'
import { readProcess, startOf } from '../platform/processes/table.ts'
import { describeFile, type Plan, type PlannedFile, planOf } from '../reaper/plan.ts'
import type { TaskRegistry } from '../registry/entries.ts'
import { validateAgentId } from '../registry/ids.ts'
import { type AgentRef, taskFolder } from '../registry/layout.ts'
import { agentsByMarker } from '../registry/marker.ts'
import type { Registries } from '../registry/read-all.ts'
import { mayListMore } from '../registry/registry.ts'
import { defaultSocket } from '../tmux/default-socket.ts'
import { namedSession } from '../tmux/recorded.ts'
import { readServer, type TmuxServer, type TmuxSession } from '../tmux/server.ts'
import { socketsOf } from '../tmux/sockets.ts'

/** A session with an agent's name that no registry lists. It may be that of a workspace that was not looked at. */
export interface UnlistedSession {
  socket: string
  id: string
  name: string
  /** How long ago it was created, in ms. */
  ageMs: number
  plan: Plan
}

export interface UnlistedLeftovers {
  sessions: UnlistedSession[]
  /** Prompts of agents that their task's registry does not list. */
  prompts: PlannedFile[]
  /** What could not be asked, in sentences. */
  problems: string[]
}

const PREFIX = 'agent_'
const PROMPT = /^agent_prompt_(.+)\.txt$/
/** Stands for the task of an agent that no registry lists; no folder of that name is made. */
const NO_TASK = 'no-task'

/**
 * Looks for what no registry knows, at least `minAgeMs` old: a deploy registers its agent a little before, or after.
 * `beside` are the registries of other workspaces, whose sessions are no orphans. A registry that could not be read may
 * list any session, so with one such no session counts as an orphan.
 */
export async function findUnlisted(
  workspace: string,
  own: Registries,
  beside: readonly Registries[],
  minAgeMs: number,
): Promise<UnlistedLeftovers> {
  const found: UnlistedLeftovers = { sessions: [], prompts: [], problems: [] }
  for (const [taskId, registry] of own.tasks)
    try {
      if (mayListMore(registry)) continue
      found.prompts.push(...findPrompts(workspace, taskId, registry, minAgeMs))
    } catch (error) {
      found.problems.push(messageOf(error))
    }
  const all = [own, ...beside]
  if (!all.every(({ isWhole }) => isWhole)) return found
  const agents = all.flatMap(({ tasks }) => [...tasks.values()]).flatMap(registry => registry.agents)
  const names = new Set(agents.flatMap(agent => [`${PREFIX}${agent.id}`, namedSession(agent).name]))
  for (const socket of socketsOf(agents)) {
    try {
      const server = await readServer(socket)
      if (server) found.sessions.push(...(await unlistedSessions(workspace, server, socket, names, minAgeMs)))
    } catch (error) {
      found.problems.push(messageOf(error))
    }
  }
  return found
}

async function unlistedSessions(
  workspace: string,
  server: TmuxServer,
  socket: string,
  names: ReadonlySet<unknown>,
  minAgeMs: number,
): Promise<UnlistedSession[]> {
  const orphans: UnlistedSession[] = []
  for (const session of server.sessions) {
    const sinceMs = ageOf(session)
    if (!session.name.startsWith(PREFIX) || names.has(session.name) || sinceMs < minAgeMs) continue
    const plan = await planOfSession(workspace, server, session)
    if (plan) orphans.push({ socket, id: session.id, name: session.name, ageMs: sinceMs, plan })
  }
  return orphans
}

/** By the wall clock, which may have been moved, but no older than what runs in it is by the machine's own. */
function ageOf({ created, panes }: TmuxSession): number {
  const ages = panes.flatMap(({ pid, dead }) => (dead ? [] : (readProcess(pid) ?? []))).map(ageMs)
  return Math.min(Date.now() - created * 1000, ...(ages.length > 0 ? [Math.max(...ages)] : []))
}

async function planOfSession(
  workspace: string,
  server: TmuxServer,
  session: TmuxSession,
): Promise<Plan | undefined> {
  const { observation, claims } = await observeSession(workspace, server, session)
  // Its processes carry the marker of an agent that a registry of another workspace lists: it is no orphan.
  if (claims.spared.some(({ sparedFor }) => sparedFor === 'other-agent')) return undefined
  if (server.path !== defaultSocket() && !isMarked(workspace, session, observation)) return undefined
  return { ...planOf(observation, claims), remove: [], archive: [] }
}

/**
 * True when a pane of a session carries the marker of an agent of this workspace. On a server that only a registry names
 * a session's name is not enough: an agent that writes the registry could have any session of the user's ended.
 */
function isMarked(workspace: string, { panes }: TmuxSession, { table }: Observation): boolean {
  const agentOf = agentsByMarker()
  const own = realWorkspace(workspace)
  return panes.some(({ pid, dead }) => {
    const process = dead ? undefined : table.get(pid)
    return agentOf(process?.environment.marker)?.workspace === own
  })
}

/** An orphan session as the agent that it would be, if a registry listed it. */
export async function observeSession(workspace: string, server: TmuxServer, session: TmuxSession) {
  const agentId = safeId(session.name.slice(PREFIX.length))
  const ref: AgentRef = { workspace, taskId: NO_TASK, agentId }
  const [pane] = session.panes
  const entry = {
    id: agentId,
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
  const observation = await observe(ref, { task_id: NO_TASK, agents: [entry] }, session.name)
  // What such an agent's log is, only its own reader knows: the one file of that name that is open.
  const log = [...observation.openFiles.keys()].find(
    file => path.basename(file) === `${agentId}_stream.jsonl`,
  )
  const known = log === undefined ? observation : { ...observation, log }
  return { observation: known, claims: claim(known) }
}

/** A name is only ever compared; as a part of a path it must be none that leads anywhere. */
function safeId(id: string): string {
  try {
    return validateAgentId(id)
  } catch {
    return 'unnamed'
  }
}

function findPrompts(
  workspace: string,
  taskId: string,
  { agents }: TaskRegistry,
  minAgeMs: number,
): PlannedFile[] {
  const ids = new Set(agents.map(({ id }) => id))
  const named = new Set(
    agents.flatMap(({ prompt_file: file }) => (typeof file === 'string' ? path.basename(file) : [])),
  )
  using folder = openWithin(workspace, taskFolder(workspace, taskId))
  const unlisted = folder
    .names()
    .filter(name => PROMPT.test(name) && !named.has(name) && !ids.has(PROMPT.exec(name)?.[1] ?? name))
  return unlisted
    .flatMap(name => describeFile(path.join(folder.path, name)))
    .filter(({ ageMs }) => ageMs >= minAgeMs)
}
