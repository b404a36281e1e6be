import path from 'node:path'
import { pid as ownPid } from 'node:process'
import { realWorkspaces } from '../platform/files/real-path.ts'
import { selfAndAncestors } from '../platform/processes/ancestry.ts'
import { residentBytes } from '../platform/processes/memory.ts'
import { sharesPids } from '../platform/processes/namespaces.ts'
import { isOpenForWriting } from '../platform/processes/open-files.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import type { Machine, ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import { agentsByMarker } from '../registry/marker.ts'
import { recordedTmux, tmuxVariable } from '../tmux/recorded.ts'
import type { MeasuredAgent } from './measure-agent.ts'
import type { LeftoverProcess } from './measurement.ts'

/** What is known about the agents and the machine. */
export interface Known {
  agents: readonly MeasuredAgent[]
  /** Real paths, as the kernel names open files; an agent’s row may have a path through a link. */
  workspaces: ReadonlySet<string>
  /** The processes of all tmux servers that were read. They serve other sessions too, and can inherit a marker. */
  servers: ReadonlySet<number>
  leftoverPanes: readonly number[]
}

const STREAM_LOG = /^(.*)_stream\.jsonl(?: \(deleted\))?$/

/**
 * Finds the processes that bear a trace of an agent of these workspaces, and that no future cleanup will end, because the
 * agent's cleanup is done or no registry lists the agent. Claims are made from the same traces. Ends nothing.
 */
export function findLeftoverProcesses({ table, openFiles }: Machine, known: Known): LeftoverProcess[] {
  const { agents, workspaces, servers } = known
  const claimed = new Set(agents.flatMap(agent => agent.processes.map(({ pid }) => pid)))
  const cleaner = new Set(selfAndAncestors(table, ownPid))
  // The cleanup of a live or pending agent will find its processes, even those that this measurement missed.
  const real = realWorkspaces()
  const caredFor = agents.map(({ row }) => row).filter(row => row.state !== 'done')
  const cared = new Set(caredFor.map(row => keyOf({ ...row, workspace: real(row.workspace) })))
  const sessions = sessionsOfDone(agents, table)
  const inOrphans = below(table, known.leftoverPanes)
  const agentOf = agentsByMarker()
  const writers = logWriters(openFiles, workspaces, cared)

  const traceOf = (process: SeenProcess): string | undefined => {
    const { marker, tmux, pane } = process.environment
    const agent = agentOf(marker)
    if (agent && workspaces.has(agent.workspace) && sharesPids(process.pid))
      return cared.has(keyOf(agent)) ? undefined : `LEAKRIG_AGENT=${marker}`
    const session = pane !== undefined && tmux !== undefined && sessions.has(tmux) && sharesPids(process.pid)
    if (session) return `TMUX=${tmux} TMUX_PANE=${pane}`
    return inOrphans.get(process) ?? writers.get(process.pid)
  }
  return [...table.values()].flatMap(process => {
    if (process.pid === 1 || process.kernel || hasEnded(process) || claimed.has(process.pid)) return []
    if (servers.has(process.pid) || cleaner.has(process)) return []
    const why = traceOf(process)
    if (why === undefined) return []
    return [{ pid: process.pid, comm: process.comm, why, rssBytes: residentBytes([process.pid]) }]
  })
}

const keyOf = ({ workspace, taskId, agentId }: MeasuredAgent['row'] | Agent): string =>
  `${workspace}/${taskId}/${agentId}`
type Agent = { workspace: string; taskId: string; agentId: string }

/** The values of TMUX in the sessions of agents whose cleanup is done, on servers that were not restarted since. */
function sessionsOfDone(agents: readonly MeasuredAgent[], table: ProcessTable): Set<string> {
  const values = new Set<string>()
  for (const { row, entry } of agents) {
    const tmux = row.state === 'done' ? recordedTmux(entry) : undefined
    if (!tmux || tmux.server_start === undefined) continue
    const holder = table.get(tmux.server_pid)
    if (holder && holder.start !== tmux.server_start) continue
    values.add(tmuxVariable(tmux.socket, tmux.server_pid, tmux.session_id))
  }
  return values
}

/** The processes of some panes and all their descendants. */
function below(table: ProcessTable, panes: readonly number[]): Map<SeenProcess, string> {
  const children = Map.groupBy(table.values(), process => process.ppid)
  const found = new Map<SeenProcess, string>()
  const open = panes.flatMap(pid => table.get(pid) ?? [])
  for (let next = open.pop(); next; next = open.pop()) {
    if (found.has(next)) continue
    found.set(next, 'in a session named agent_* that belongs to no listed agent')
    open.push(...(children.get(next.pid) ?? []))
  }
  return found
}

/** The processes that write exactly one stream log of an agent whose cleanup is done. One that writes several is a collector. */
function logWriters(
  openFiles: Machine['openFiles'],
  workspaces: ReadonlySet<string>,
  cared: ReadonlySet<string>,
): Map<number, string> {
  const logs = new Map<number, Set<string>>()
  for (const [file, holders] of openFiles) {
    const agentId = STREAM_LOG.exec(path.basename(file))?.[1]
    const task = path.dirname(path.dirname(file))
    if (agentId === undefined || !workspaces.has(path.dirname(task)) || cared.has(`${task}/${agentId}`))
      continue
    for (const holder of holders.filter(isOpenForWriting))
      logs.set(holder.pid, (logs.get(holder.pid) ?? new Set()).add(file))
  }
  const one = [...logs].flatMap(([pid, files]): [number, string][] => {
    const [file] = files
    return files.size === 1 ? [[pid, `it writes ${file}`]] : []
  })
  return new Map(one)
}
