import fs from 'node:fs'
import { attempt } from '../../errors.ts'
import { type Json, textOf } from '../../platform/files/json.ts'
import { readTable } from '../../platform/processes/table.ts'
import type { AgentEntry } from '../../registry/entries.ts'
import { globalRegistry, taskRegistry } from '../../registry/layout.ts'
import { isPending, isTerminal } from '../../registry/lifecycle.ts'
import type { Registries } from '../../registry/read-all.ts'
import { findAgent, mayListMore, readGlobalRegistry } from '../../registry/registry.ts'
import { isYoung } from '../../registry/timestamps.ts'
import { requireWorld } from '../../registry/world.ts'
import { serversFoundIn } from '../../tmux/found-servers.ts'
import { namedSession } from '../../tmux/recorded.ts'
import { readServer } from '../../tmux/server.ts'
import { socketsOf } from '../../tmux/sockets.ts'

/** An entry of the global registry that counts as live although its agent has ended, so that `active_agents` never reaches 0. */
export interface StaleEntry {
  taskId: string
  agentId: string
  /** The status that it gets. */
  to: string
  why: string
  /** False when no task's registry lists the agent: then only the global registry can be corrected, and only on request. */
  isListed: boolean
}

/** The status of an agent of which nothing is left but its entry. */
const VANISHED_STATUS = 'crashed'

/**
 * Finds such entries. An entry is not stale when a registry that could not be read may list its agent, when a session has
 * the agent's name, or when the agent is younger than `minAgeMs`. An agent that cannot be seen from here is a problem. Throws
 * what could not be read or asked.
 */
export async function findStaleEntries(
  workspace: string,
  { tasks }: Registries,
  minAgeMs: number,
  onProblem: (problem: string) => void,
): Promise<StaleEntry[]> {
  const file = globalRegistry(workspace)
  if (!fs.existsSync(file)) return []
  // An entry without a start is at least as old as the last write of its registry.
  const writtenAt = fs.statSync(file).mtimeMs
  const live = Object.entries(readGlobalRegistry(workspace).agents).filter(
    ([, entry]) => !isTerminal(entry.status),
  )
  const found: StaleEntry[] = []
  const unlisted: [StaleEntry, Json][] = []
  for (const [agentId, entry] of live) {
    const taskId = textOf(entry.task_id)
    const registry = tasks.get(taskId)
    const listed = registry && findAgent(registry, { workspace, taskId, agentId })
    if (listed && isTerminal(listed.status) && !isPending(listed))
      found.push({
        taskId,
        agentId,
        to: listed.status,
        isListed: true,
        why: 'it has that status in its task’s registry',
      })
    const mayBeListed = registry
      ? mayListMore(registry)
      : taskId === '' || fs.existsSync(taskRegistry(workspace, taskId))
    if (listed || mayBeListed || isYoung(entry.started_at, minAgeMs, [writtenAt])) continue
    const why = 'no task’s registry lists it, and it has no session'
    if (!attempt(() => [requireWorld({ ...entry, id: agentId, status: textOf(entry.status) })], onProblem))
      continue
    unlisted.push([{ taskId, agentId, to: VANISHED_STATUS, isListed: false, why }, entry])
  }
  if (unlisted.length === 0) return found
  const sessions = await sessionNames([...tasks.values()].flatMap(({ agents }) => agents))
  const gone = unlisted.filter(
    ([{ agentId }, entry]) =>
      !sessions.has(`agent_${agentId}`) && !sessions.has(namedSession({ ...entry, id: agentId }).name),
  )
  return [...found, ...gone.map(([entry]) => entry)]
}

/** The names of the sessions on every server that agents may be on, also on one that only its process shows. */
async function sessionNames(agents: readonly AgentEntry[]): Promise<ReadonlySet<string>> {
  const [found, ...servers] = await Promise.all([
    readTable().then(table => serversFoundIn(table)),
    ...socketsOf(agents).map(socket => readServer(socket)),
  ])
  const all = [...servers, ...found.map(({ answer }) => answer)]
  return new Set(all.flatMap(server => server?.sessions.map(({ name }) => name) ?? []))
}
