import { canonicalWorkspaces } from '../../platform/files/real-path.ts'
import { sharesPids } from '../../platform/processes/namespaces.ts'
import { isOpenForWriting, type OpenFiles } from '../../platform/processes/open-files.ts'
import { isAlive, type Machine } from '../../platform/processes/table.ts'
import type { AgentEntry } from '../../registry/entries.ts'
import { type AgentRef, agentOfLog } from '../../registry/layout.ts'
import { agentsByMarker } from '../../registry/marker.ts'
import { serversFoundIn } from '../../tmux/found-servers.ts'
import { tmuxUnreachable } from '../../tmux/query.ts'
import { readServer, type TmuxServer } from '../../tmux/server.ts'
import { socketsOf } from '../../tmux/sockets.ts'
import { serverOf } from '../others-live-in.ts'

/**
 * The tmux servers, each once, on which something may be left of the agents of some workspaces (real paths): the trusted
 * ones, those that the entries record, and those in whose panes a process writes one of their stream logs or carries the
 * marker of one of their agents. Throws a CleanupError (`tmux-unreachable`) when one of them gives no answer.
 */
export async function serversOf(
  machine: Machine,
  entries: readonly AgentEntry[],
  workspaces: ReadonlySet<string>,
): Promise<TmuxServer[]> {
  const byPid = new Map<number, TmuxServer>()
  for (const server of await Promise.all(socketsOf(entries).map(socket => readServer(socket))))
    if (server && !byPid.has(server.pid)) byPid.set(server.pid, server)
  const others = new Set([...tiedServers(machine, workspaces)].filter(pid => !byPid.has(pid)))
  if (others.size === 0) return [...byPid.values()]
  for (const { process, answer, why } of await serversFoundIn(machine.table, others))
    if (answer) byPid.set(answer.pid, answer)
    else if (isAlive(process)) throw tmuxUnreachable(`the server ${process.pid}`, ['list-sessions'], why)
  return [...byPid.values()]
}

function tiedServers({ table, openFiles }: Machine, workspaces: ReadonlySet<string>): ReadonlySet<number> {
  const writers = logWritersOf(workspaces, openFiles)
  const agentOf = agentsByMarker(workspaces)
  const tied = new Set<number>()
  for (const { pid, environment } of table.values()) {
    const { marker } = environment
    const isMarked = marker !== undefined && workspaces.has(agentOf(marker)?.workspace ?? '')
    const server = isMarked || writers.has(pid) ? serverOf(table, pid) : undefined
    // A server that an agent started hands the marker to everything.
    if (server && (writers.has(pid) || server.environment.marker !== marker)) tied.add(server.pid)
  }
  return tied
}

/** The processes that write a stream log of one of these workspaces, and which; only one of that agent id, where it is given. */
export function logWritersOf(
  workspaces: ReadonlySet<string>,
  openFiles: OpenFiles,
  agentId?: string,
): ReadonlyMap<number, string> {
  const canonical = canonicalWorkspaces(workspaces)
  const isOne = ({ agent }: WrittenLog) =>
    (agentId === undefined || agent.agentId === agentId) && workspaces.has(canonical(agent.workspace))
  return new Map(
    [...writtenLogs(openFiles)].flatMap(([pid, logs]) => {
      const found = logs.find(isOne)
      return found ? [[pid, found.file] as const] : []
    }),
  )
}

/** A stream log that a process writes. */
export interface WrittenLog {
  /** Its path; of a deleted one, the path that it had. */
  file: string
  agent: AgentRef
}

const DELETED = / \(deleted\)$/
const known = new WeakMap<OpenFiles, ReadonlyMap<number, WrittenLog[]>>()

/** The stream logs that each process writes, in any workspace, by pid. A deleted one had its path in our world only. */
export function writtenLogs(openFiles: OpenFiles): ReadonlyMap<number, WrittenLog[]> {
  const before = known.get(openFiles)
  if (before) return before
  const found = new Map<number, WrittenLog[]>()
  for (const [name, holders] of openFiles) {
    const file = name.replace(DELETED, '')
    const agent = agentOfLog(file)
    if (!agent) continue
    const writers = holders.filter(one => isOpenForWriting(one) && (file === name || sharesPids(one.pid)))
    for (const { pid } of writers) found.set(pid, [...(found.get(pid) ?? []), { file, agent }])
  }
  known.set(openFiles, found)
  return found
}
