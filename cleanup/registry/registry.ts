import fs from 'node:fs'
import { CleanupError } from '../errors.ts'
import { textOf } from '../platform/files/json.ts'
import { deriveGlobalCounts, deriveTaskCounts } from './counts.ts'
import {
  type AgentEntry,
  asGlobalRegistry,
  asTaskRegistry,
  type GlobalRegistry,
  type TaskRegistry,
} from './entries.ts'
import { type AgentRef, globalRegistry, taskRegistry, validateRef } from './layout.ts'
import { changeJson, type RegistryFormat, readJson, readSharedJson } from './registry-file.ts'
import { SET_ASIDE, setAsideObjects } from './set-aside.ts'

const TASK: RegistryFormat<TaskRegistry> = { parse: asTaskRegistry, derive: deriveTaskCounts }
const GLOBAL: RegistryFormat<GlobalRegistry> = { parse: asGlobalRegistry, derive: deriveGlobalCounts }

/** Changes a task registry under its lock and derives its counts afterwards. Rejects as `changeJson` does. */
export function changeTask(
  workspace: string,
  taskId: string,
  change: (registry: TaskRegistry) => void,
): Promise<void> {
  return changeJson(taskRegistry(workspace, taskId), TASK, change)
}

/** `changeTask` for the global registry. */
export function changeGlobal(workspace: string, change: (registry: GlobalRegistry) => void): Promise<void> {
  return changeJson(globalRegistry(workspace), GLOBAL, change)
}

/** Reads a task's registry. It needs no lock, because the file is only ever replaced as a whole. Throws `registry-unreadable`. */
export function readTaskRegistry(workspace: string, taskId: string): TaskRegistry {
  return readJson(taskRegistry(workspace, taskId), TASK.parse)
}

/** `readTaskRegistry` from the cache: the object is shared and must not be modified. */
export function peekTaskRegistry(workspace: string, taskId: string): TaskRegistry {
  return readSharedJson(taskRegistry(workspace, taskId), TASK.parse)
}

/** The global registry from the cache, shared and not to be modified; undefined when the file does not exist. */
export function peekGlobalRegistry(workspace: string): GlobalRegistry | undefined {
  const file = globalRegistry(workspace)
  return fs.existsSync(file) ? readSharedJson(file, GLOBAL.parse) : undefined
}

export function readGlobalRegistry(workspace: string): GlobalRegistry {
  return readJson(globalRegistry(workspace), GLOBAL.parse)
}

/** An agent's entry as it is on disk now. Throws `unknown-agent` or `registry-unreadable`. */
export function readAgent(ref: AgentRef): AgentEntry {
  validateRef(ref)
  return requireAgent(readTaskRegistry(ref.workspace, ref.taskId), ref)
}

/** `readAgent` from the cache: the entry is shared and must not be modified. */
export function peekAgent(ref: AgentRef): AgentEntry {
  validateRef(ref)
  return requireAgent(peekTaskRegistry(ref.workspace, ref.taskId), ref)
}

/** The ids of a workspace's tasks: the names of its folders that contain a registry. */
export function listTasks(workspace: string): string[] {
  return fs.readdirSync(workspace).filter(taskId => fs.existsSync(taskRegistry(workspace, taskId)))
}

/**
 * Every entry that may describe an agent of the task, including set-aside objects without an id (here the empty string).
 * For deciding whether something belongs to an agent other than the one at hand.
 */
export function everyEntry(registry: TaskRegistry): readonly AgentEntry[] {
  const aside = setAsideObjects(registry)
  if (aside.length === 0) return registry.agents
  return [
    ...registry.agents,
    ...aside.map(entry => ({ ...entry, id: '', status: textOf(entry.status) || 'unknown' })),
  ]
}

/** True when a set-aside value may stand for an agent: an object that calls its id something else, or a bare id. */
export const mayListMore = ({ [SET_ASIDE]: aside = [] }: TaskRegistry): boolean =>
  aside.some(({ value }) => value !== null)

/** The first index of each id in a registry's list, as of the first query: a list of ten thousand is searched ten times per agent. */
const indexes = new WeakMap<AgentEntry[], ReadonlyMap<string, number>>()

/** The agent's entry, or undefined. When an id occurs twice, the first entry counts. */
export function findAgent({ agents }: TaskRegistry, { agentId }: AgentRef): AgentEntry | undefined {
  const byId = indexes.get(agents) ?? indexById(agents)
  const found = agents[byId.get(agentId) ?? -1]
  // A caller that changes the registry may have changed the list since it was indexed.
  return found?.id === agentId ? found : agents.find(({ id }) => id === agentId)
}

function indexById(agents: AgentEntry[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const [n, { id }] of agents.entries()) if (!found.has(id)) found.set(id, n)
  indexes.set(agents, found)
  return found
}

/** The agent's entry. Throws a CleanupError (`unknown-agent`) when the registry does not list it. */
export function requireAgent(registry: TaskRegistry, ref: AgentRef): AgentEntry {
  const entry = findAgent(registry, ref)
  if (entry) return entry
  throw new CleanupError(
    'unknown-agent',
    `The registry ${taskRegistry(ref.workspace, ref.taskId)} does not list the agent ${ref.agentId}, only ${registry.agents.length} others; check the id.`,
  )
}
