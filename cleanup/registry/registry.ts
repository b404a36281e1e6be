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
import { changeJson, type Kind, readJson, readSharedJson } from './registry-file.ts'
import { SET_ASIDE, setAsideObjects } from './set-aside.ts'

/** Counts are derived once for each write, however many changes go into it. */
const TASK: Kind<TaskRegistry> = { read: asTaskRegistry, settle: deriveTaskCounts }
const GLOBAL: Kind<GlobalRegistry> = { read: asGlobalRegistry, settle: deriveGlobalCounts }

/** Changes a whole task registry under the lock, for its own fields; counts are derived afterwards. */
export function changeTask(
  workspace: string,
  taskId: string,
  change: (registry: TaskRegistry) => void,
): Promise<void> {
  return changeJson(taskRegistry(workspace, taskId), TASK, change)
}

/** The same for the global registry. */
export function changeGlobal(workspace: string, change: (registry: GlobalRegistry) => void): Promise<void> {
  return changeJson(globalRegistry(workspace), GLOBAL, change)
}

/** Reads a task's registry. Needs no lock: it is only ever replaced as a whole. */
export function readTaskRegistry(workspace: string, taskId: string): TaskRegistry {
  return readJson(taskRegistry(workspace, taskId), TASK.read)
}

/** The same, shared with all who read it so: it must not be altered. */
export function peekTaskRegistry(workspace: string, taskId: string): TaskRegistry {
  return readSharedJson(taskRegistry(workspace, taskId), TASK.read)
}

/** The global registry, shared in the same way; undefined where there is none. */
export function peekGlobalRegistry(workspace: string): GlobalRegistry | undefined {
  const file = globalRegistry(workspace)
  return fs.existsSync(file) ? readSharedJson(file, GLOBAL.read) : undefined
}

export function readGlobalRegistry(workspace: string): GlobalRegistry {
  return readJson(globalRegistry(workspace), GLOBAL.read)
}

/** An agent's entry as it is on disk now. Throws `unknown-agent` or `registry-unreadable`. */
export function readAgent(ref: AgentRef): AgentEntry {
  validateRef(ref)
  return requireAgent(readTaskRegistry(ref.workspace, ref.taskId), ref)
}

/** The same, shared with all who read it so: it must not be altered. Of many agents of one registry, that is read once. */
export function peekAgent(ref: AgentRef): AgentEntry {
  validateRef(ref)
  return requireAgent(peekTaskRegistry(ref.workspace, ref.taskId), ref)
}

/** The ids of a workspace's tasks: its folders that hold a registry. */
export function listTasks(workspace: string): string[] {
  return fs.readdirSync(workspace).filter(taskId => fs.existsSync(taskRegistry(workspace, taskId)))
}

/** Who may be an agent of a task: for whoever asks whose something else is. Those without an id come with an empty one. */
export const everyEntry = (registry: TaskRegistry): AgentEntry[] => [
  ...registry.agents,
  ...setAsideObjects(registry).map(entry => ({
    ...entry,
    id: '',
    status: textOf(entry.status) || 'unknown',
  })),
]

/** True when a registry may list agents that are not among its `agents`: under another word, or by their ids alone. */
export const mayListMore = ({ [SET_ASIDE]: aside = [] }: TaskRegistry): boolean =>
  aside.some(({ value }) => value !== null)

/** Where in a registry's list each id is first met, as it was when somebody first asked. */
const places = new WeakMap<AgentEntry[], ReadonlyMap<string, number>>()

/** The agent's entry; of two of one id the first. Of a list of ten thousand it is asked ten times for each of them. */
export function findAgent({ agents }: TaskRegistry, { agentId }: AgentRef): AgentEntry | undefined {
  const known = places.get(agents) ?? placesIn(agents)
  const found = agents[known.get(agentId) ?? -1]
  // Somebody who changes the registry may have changed the list as well.
  return found?.id === agentId ? found : agents.find(({ id }) => id === agentId)
}

function placesIn(agents: AgentEntry[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const [n, { id }] of agents.entries()) if (!found.has(id)) found.set(id, n)
  places.set(agents, found)
  return found
}

/** The agent's entry in a registry that was read. Throws `unknown-agent` when it lists none. */
export function requireAgent(registry: TaskRegistry, ref: AgentRef): AgentEntry {
  const entry = findAgent(registry, ref)
  if (entry) return entry
  throw new CleanupError(
    'unknown-agent',
    `The registry ${taskRegistry(ref.workspace, ref.taskId)} lists no agent ${ref.agentId}, only ${registry.agents.length} others; check the id.`,
  )
}
