import path from 'node:path'
import { pid as ownPid } from 'node:process'
import { canonicalWorkspaces } from '../../platform/files/real-path.ts'
import { selfAndAncestors, withDescendants } from '../../platform/processes/ancestry.ts'
import type { Identity } from '../../platform/processes/identity.ts'
import { residentBytes } from '../../platform/processes/memory.ts'
import { isOpenForWriting } from '../../platform/processes/open-files.ts'
import { hasEnded } from '../../platform/processes/stat.ts'
import type { Machine, ProcessTable, SeenProcess } from '../../platform/processes/table.ts'
import { type AgentRef, streamLog } from '../../registry/layout.ts'
import { agentsByMarker } from '../../registry/marker.ts'
import { isDeployedHere } from '../../registry/world.ts'
import { isTmuxServer } from '../../tmux/is-server.ts'
import { recordedTmux, tmuxVariable } from '../../tmux/recorded.ts'
import { betweenServerAndAgents } from '../agents-live-in.ts'
import { BackgroundServices } from '../background/whose.ts'
import { otherAgents } from '../other-agents.ts'
import { livesWithOthers, onServers, sharedServer } from '../others-live-in.ts'
import { isScreenServer, sharedScreen } from '../screen.ts'
import type { ListedAgent } from './listed.ts'
import type { OfRemoved } from './removed-workspaces.ts'
import { processStartedAgain } from './started-again.ts'

/** A process that bears a trace of an agent which is done or which no registry lists. */
export interface LeftoverProcess extends Identity {
  comm: string
  /** The trace, for people. */
  why: string
  rssBytes: number
  /** The agent that its marker names, if no registry lists it, or if its workspace no longer exists. */
  unlisted?: AgentRef
}

/** What is needed to tell which processes no cleanup to come will end. */
interface Listed {
  /** Every agent of the workspaces' registries. */
  agents: readonly ListedAgent[]
  /** Real paths, as the kernel names open files. */
  workspaces: ReadonlySet<string>
  /** The tmux servers. They hold other people's sessions, and a server inherits the marker of the agent that started it. */
  servers: ReadonlySet<number>
  /** What runs in the panes of leftover sessions. */
  panes: readonly number[]
  ofRemoved: (process: SeenProcess) => OfRemoved | undefined
}

const STREAM_LOG = /^(.*)_stream\.jsonl(?: \(deleted\))?$/

/**
 * Finds the leftover processes: they bear a trace of an agent of these workspaces, of the kinds that claims are made from,
 * and no cleanup to come will end them, because the agent's is done or no registry lists it.
 */
export function findLeftoverProcesses({ table, openFiles }: Machine, listed: Listed): LeftoverProcess[] {
  const { agents, workspaces, servers } = listed
  const claimed = new Set(agents.flatMap(({ processes }) => processes.map(({ pid }) => pid)))
  const cleaner = new Set(selfAndAncestors(table, ownPid))
  // The cleanup of an agent that lives or is pending will end its processes, also those that this scan did not claim.
  const canonical = canonicalWorkspaces(workspaces)
  const pending = new Set(
    agents
      .filter(({ isDone }) => !isDone)
      .map(({ ref }) => keyOf({ ...ref, workspace: canonical(ref.workspace) })),
  )
  const sessions = sessionsOfDone(agents, table)
  const inLeftoverSession = withDescendants(
    table,
    listed.panes.flatMap(pid => table.get(pid) ?? []),
  )
  const known = new Map(
    agents.map(one => [keyOf({ ...one.ref, workspace: canonical(one.ref.workspace) }), one] as const),
  )
  const agentOf = agentsByMarker(workspaces)
  /** The agent that a process's marker names, if it is of these workspaces or of one that no longer exists. */
  const markedAgent = (process: SeenProcess): AgentRef | undefined => {
    const agent = agentOf(process.environment.marker)
    if (agent && workspaces.has(agent.workspace) && process.environment.sharesPids) return agent
    return listed.ofRemoved(process)?.agent
  }
  const writers = writersOfDoneLogs(openFiles, workspaces, canonical, pending)

  const services = new Map<string, BackgroundServices>()
  /** A background service that serves others has the agent's marker, with every session in it, and is no leftover. */
  const isServingOthers = (process: SeenProcess, ref: AgentRef): boolean => {
    const key = keyOf(ref)
    const known =
      services.get(key) ??
      new BackgroundServices({ ref, entry: { id: ref.agentId, status: '' }, table, log: streamLog(ref) })
    services.set(key, known)
    return known.isShared(process)
  }
  // What others opened on a server that an agent started has the agent's marker, and is no leftover.
  const sharedServers = [...table.values()].flatMap(process => {
    const agent = agentOf(process.environment.marker)
    if (!agent) return []
    if (isScreenServer(process)) return sharedScreen(process, table, () => false) ?? []
    if (!isTmuxServer(process, table)) return []
    const others = betweenServerAndAgents(table, process, otherAgents(agent, []))
    return sharedServer(process, table, undefined, () => false, others) ?? []
  })
  const isInUse = livesWithOthers({ table, sharedServers, guests: [] })
  // What a cleanup named as a suspect stays one, with what has been started since on a tmux server among them.
  const suspects = agents.flatMap(one =>
    one.isDone ? one.suspects.flatMap(({ pid }) => table.get(pid) ?? []) : [],
  )
  const suspected = onServers(table, suspects)

  const againOf = (agent: AgentRef, process: SeenProcess): string[] => {
    const one = known.get(keyOf(agent))
    const isInSession = inLeftoverSession.has(process)
    const why = one && processStartedAgain(one.ref, one.entry, process, { table, isInSession })
    return why === undefined ? [] : [why]
  }

  const traceOf = (process: SeenProcess): string | undefined => {
    const { marker, tmux, pane } = process.environment
    if (isInUse(process) || suspected.has(process)) return undefined
    const agent = markedAgent(process)
    if (agent)
      return pending.has(keyOf(agent)) || isServingOthers(process, agent)
        ? undefined
        : (listed.ofRemoved(process)?.why ??
            [`LEAKRIG_AGENT=${marker}`, ...againOf(agent, process)].join('; '))
    if (tmux !== undefined && sessions.has(tmux) && process.environment.sharesPids)
      return pane === undefined ? `TMUX=${tmux}` : `TMUX=${tmux} TMUX_PANE=${pane}`
    if (inLeftoverSession.has(process)) return 'in a session named agent_* that no registry lists'
    return writers.get(process.pid) ?? listed.ofRemoved(process)?.why
  }
  return [...table.values()].flatMap(process => {
    if (process.pid === 1 || process.kernel || hasEnded(process) || claimed.has(process.pid)) return []
    if (servers.has(process.pid) || cleaner.has(process)) return []
    const why = traceOf(process)
    if (why === undefined) return []
    const { pid, start, comm } = process
    const agent = markedAgent(process)
    const unlisted = agent && !known.has(keyOf(agent)) && { unlisted: agent }
    return [{ pid, start, comm, why, rssBytes: residentBytes([pid]), ...unlisted }]
  })
}

const keyOf = ({ workspace, taskId, agentId }: AgentRef): string => `${workspace}/${taskId}/${agentId}`

/** The values of TMUX in the sessions of done agents, unless another process has the server's pid by now. */
function sessionsOfDone(agents: readonly ListedAgent[], table: ProcessTable): Set<string> {
  const values = new Set<string>()
  for (const { isDone, entry } of agents) {
    const tmux = isDone && isDeployedHere(entry) ? recordedTmux(entry) : undefined
    if (!tmux || tmux.server_start === undefined) continue
    const holder = table.get(tmux.server_pid)
    if (holder && holder.start !== tmux.server_start) continue
    values.add(tmuxVariable(tmux.socket, tmux.server_pid, tmux.session_id))
  }
  return values
}

/** The processes that write exactly one stream log of a done agent. A process that writes several collects them for others. */
function writersOfDoneLogs(
  openFiles: Machine['openFiles'],
  workspaces: ReadonlySet<string>,
  canonical: (workspace: string) => string,
  pending: ReadonlySet<string>,
): Map<number, string> {
  const logs = new Map<number, Set<string>>()
  for (const [file, holders] of openFiles) {
    const agentId = STREAM_LOG.exec(path.basename(file))?.[1]
    if (agentId === undefined) continue
    const task = path.dirname(path.dirname(file))
    const workspace = canonical(path.dirname(task))
    if (!workspaces.has(workspace) || pending.has(keyOf({ workspace, taskId: path.basename(task), agentId })))
      continue
    for (const holder of holders.filter(isOpenForWriting))
      logs.set(holder.pid, (logs.get(holder.pid) ?? new Set()).add(file))
  }
  const writesOne = [...logs].filter(([, files]) => files.size === 1)
  return new Map(writesOne.map(([pid, files]) => [pid, `it writes ${[...files].join()}`]))
}
