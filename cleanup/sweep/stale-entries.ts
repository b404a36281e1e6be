import fs from 'node:fs'
import { messageOf } from '../errors.ts'
import { type Json, textOf } from '../platform/files/json.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { globalRegistry, taskRegistry } from '../registry/layout.ts'
import { isPending, isTerminal } from '../registry/lifecycle.ts'
import type { Registries } from '../registry/read-all.ts'
import { changeGlobal, findAgent, mayListMore, readGlobalRegistry } from '../registry/registry.ts'
import { syncGlobal } from '../registry/sync-global.ts'
import { parseTimestamp } from '../registry/timestamps.ts'
import { namedSession } from '../tmux/recorded.ts'
import { readServer } from '../tmux/server.ts'
import { socketsOf } from '../tmux/sockets.ts'
import type { Action } from './actions.ts'
import type { Done } from './sweep.ts'

/** An entry of the global registry that counts as live, though its agent has ended: `active_agents` counts it for ever. */
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
const GONE = 'crashed'

/**
 * Looks for such entries. What may be listed by a registry that could not be read, or has a session of its name, or is
 * younger than `minAgeMs`, is none. Throws what could not be read or asked.
 */
export async function findStale(
  workspace: string,
  { tasks }: Registries,
  minAgeMs: number,
): Promise<StaleEntry[]> {
  const file = globalRegistry(workspace)
  if (!fs.existsSync(file)) return []
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
      found.push({ taskId, agentId, to: listed.status, isListed: true, why: 'its task’s registry says so' })
    const isUnread = registry
      ? mayListMore(registry)
      : taskId === '' || fs.existsSync(taskRegistry(workspace, taskId))
    if (listed || isUnread || isYoung(entry, writtenAt, minAgeMs)) continue
    const why = 'no task’s registry lists it, and it has no session'
    unlisted.push([{ taskId, agentId, to: GONE, isListed: false, why }, entry])
  }
  if (unlisted.length === 0) return found
  const sessions = await sessionNames([...tasks.values()].flatMap(({ agents }) => agents))
  const gone = unlisted.filter(
    ([{ agentId }, entry]) =>
      !sessions.has(`agent_${agentId}`) && !sessions.has(namedSession({ ...entry, id: agentId }).name),
  )
  return [...found, ...gone.map(([entry]) => entry)]
}

/** An entry without a start is at least as old as the last write of its registry. */
function isYoung({ started_at }: Json, writtenAt: number, minAgeMs: number): boolean {
  const since = Date.now() - parseTimestamp(started_at).latest
  return !((since >= 0 ? since : Date.now() - writtenAt) >= minAgeMs)
}

async function sessionNames(agents: readonly AgentEntry[]): Promise<ReadonlySet<string>> {
  const servers = await Promise.all(socketsOf(agents).map(socket => readServer(socket)))
  return new Set(servers.flatMap(server => server?.sessions.map(({ name }) => name) ?? []))
}

export const actionsForStale = (entries: readonly StaleEntry[]): Action[] =>
  entries.map(({ taskId, agentId, to }) => ({ do: 'register', agent: `${taskId}/${agentId}`, status: to }))

/** Corrects the global registry. What it could not write is left, and said. */
export async function correctStale(workspace: string, entries: readonly StaleEntry[]): Promise<Done> {
  try {
    // All at once, so that they share the writes of the one registry.
    const listed = entries.filter(({ isListed }) => isListed)
    await Promise.all(listed.map(({ taskId, agentId }) => syncGlobal({ workspace, taskId, agentId })))
    const unlisted = entries.filter(({ isListed }) => !isListed)
    if (unlisted.length > 0)
      await changeGlobal(workspace, ({ agents }) => {
        for (const { agentId, to, why } of unlisted)
          if (agents[agentId] && !isTerminal(agents[agentId].status))
            Object.assign(agents[agentId], { status: to, reason: why })
      })
    return { outcome: 'clean', actions: actionsForStale(entries), problems: [] }
  } catch (error) {
    return { outcome: 'failed', actions: [], problems: [messageOf(error)] }
  }
}
