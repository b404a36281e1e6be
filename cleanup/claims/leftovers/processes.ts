import path from 'node:path'
import { pid as ownPid } from 'node:process'
import { realWorkspaces } from '../../platform/files/real-path.ts'
import { selfAndAncestors, withDescendants } from '../../platform/processes/ancestry.ts'
import { residentBytes } from '../../platform/processes/memory.ts'
import { sharesPids } from '../../platform/processes/namespaces.ts'
import { isOpenForWriting } from '../../platform/processes/open-files.ts'
import { hasEnded } from '../../platform/processes/stat.ts'
import type { Machine, ProcessTable, SeenProcess } from '../../platform/processes/table.ts'
import type { AgentEntry } from '../../registry/entries.ts'
import { type AgentRef, streamLog } from '../../registry/layout.ts'
import { agentsByMarker } from '../../registry/marker.ts'
import { recordedTmux, tmuxVariable } from '../../tmux/recorded.ts'
import { BackgroundServices } from '../background/whose.ts'
import { isTmuxServer, livesWithOthers, sharedServer } from '../others-live-in.ts'

/** A process that bears a trace of an agent which is done or which no registry lists. */
export interface LeftoverProcess {
  pid: number
  comm: string
  /** The trace, for people. */
  why: string
  rssBytes: number
}

/** A listed agent, and the processes that are claimed for it. */
interface ListedAgent {
  ref: AgentRef
  entry: AgentEntry
  /** True when its cleanup is done. */
  isDone: boolean
  processes: readonly SeenProcess[]
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
  const real = realWorkspaces()
  const pending = new Set(
    agents
      .filter(({ isDone }) => !isDone)
      .map(({ ref }) => keyOf({ ...ref, workspace: real(ref.workspace) })),
  )
  const sessions = sessionsOfDone(agents, table)
  const inLeftoverSession = withDescendants(
    table,
    listed.panes.flatMap(pid => table.get(pid) ?? []),
  )
  const agentOf = agentsByMarker()
  const writers = writersOfDoneLogs(openFiles, workspaces, pending)

  const services = new Map<string, BackgroundServices>()
  /** A background service that serves others has the agent's marker, with every session in it, and is no leftover. */
  const isServingOthers = (process: SeenProcess, ref: AgentRef): boolean => {
    const key = keyOf(ref)
    const known = services.get(key) ?? new BackgroundServices({ ref, entry: {}, table, log: streamLog(ref) })
    services.set(key, known)
    return known.isShared(process)
  }
  // What others opened on a server that an agent started has the agent's marker, and is no leftover.
  const sharedServers = [...table.values()].flatMap(process =>
    isTmuxServer(process) && agentOf(process.environment.marker)
      ? (sharedServer(process, table, undefined, () => false) ?? [])
      : [],
  )
  const isInUse = livesWithOthers({ table, sharedServers, guests: [] })

  const traceOf = (process: SeenProcess): string | undefined => {
    const { marker, tmux, pane } = process.environment
    const agent = agentOf(marker)
    if (isInUse(process)) return undefined
    if (agent && workspaces.has(agent.workspace) && sharesPids(process.pid))
      return pending.has(keyOf(agent)) || isServingOthers(process, agent)
        ? undefined
        : `LEAKRIG_AGENT=${marker}`
    if (pane !== undefined && tmux !== undefined && sessions.has(tmux) && sharesPids(process.pid))
      return `TMUX=${tmux} TMUX_PANE=${pane}`
    if (inLeftoverSession.has(process)) return 'in a session named agent_* that no registry lists'
    return writers.get(process.pid)
  }
  return [...table.values()].flatMap(process => {
    if (process.pid === 1 || process.kernel || hasEnded(process) || claimed.has(process.pid)) return []
    if (servers.has(process.pid) || cleaner.has(process)) return []
    const why = traceOf(process)
    if (why === undefined) return []
    return [{ pid: process.pid, comm: process.comm, why, rssBytes: residentBytes([process.pid]) }]
  })
}

const keyOf = ({ workspace, taskId, agentId }: AgentRef): string => `${workspace}/${taskId}/${agentId}`

/** The values of TMUX in the sessions of done agents, unless another process has the server's pid by now. */
function sessionsOfDone(agents: readonly ListedAgent[], table: ProcessTable): Set<string> {
  const values = new Set<string>()
  for (const { isDone, entry } of agents) {
    const tmux = isDone ? recordedTmux(entry) : undefined
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
  pending: ReadonlySet<string>,
): Map<number, string> {
  const logs = new Map<number, Set<string>>()
  for (const [file, holders] of openFiles) {
    const agentId = STREAM_LOG.exec(path.basename(file))?.[1]
    const task = path.dirname(path.dirname(file))
    if (agentId === undefined || !workspaces.has(path.dirname(task)) || pending.has(`${task}/${agentId}`))
      continue
    for (const holder of holders.filter(isOpenForWriting))
      logs.set(holder.pid, (logs.get(holder.pid) ?? new Set()).add(file))
  }
  const writesOne = [...logs].filter(([, files]) => files.size === 1)
  return new Map(writesOne.map(([pid, files]) => [pid, `it writes ${[...files].join()}`]))
}
