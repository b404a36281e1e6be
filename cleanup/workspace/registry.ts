import fs from 'node:fs'
import { CleanupError } from '../errors.ts'
import { deriveGlobalCounts, deriveTaskCounts } from './counts.ts'
import { type AgentRef, globalRegistry, taskRegistry, validateRef } from './layout.ts'
import { changeJson, readJson, readSharedJson } from './registry-file.ts'
import {
  type AgentEntry,
  asGlobalRegistry,
  asTaskRegistry,
  type GlobalRegistry,
  type TaskRegistry,
} from './registry-types.ts'
import { setAsideObjects } from './set-aside.ts'

/** Changes a whole task registry under the lock, for its own fields; counts are derived afterwards. */
export function changeTask(
  workspace: string,
  taskId: string,
  change: (registry: TaskRegistry) => void,
): Promise<void> {
  return changeJson<TaskRegistry>(taskRegistry(workspace, taskId), asTaskRegistry, registry => {
    change(registry)
    deriveTaskCounts(registry)
  })
}

/** The same for the global registry. */
export function changeGlobal(workspace: string, change: (registry: GlobalRegistry) => void): Promise<void> {
  return changeJson<GlobalRegistry>(globalRegistry(workspace), asGlobalRegistry, registry => {
    change(registry)
    deriveGlobalCounts(registry)
  })
}

/** Reads a task's registry. Needs no lock: it is only ever replaced as a whole. */
export function readTaskRegistry(workspace: string, taskId: string): TaskRegistry {
  return readJson<TaskRegistry>(taskRegistry(workspace, taskId), asTaskRegistry)
}

/** The same, shared with all who read it so: it must not be altered. */
export function peekTaskRegistry(workspace: string, taskId: string): TaskRegistry {
  return readSharedJson<TaskRegistry>(taskRegistry(workspace, taskId), asTaskRegistry)
}

/** The global registry, shared in the same way; undefined where there is none. */
export function peekGlobalRegistry(workspace: string): GlobalRegistry | undefined {
  const file = globalRegistry(workspace)
  return fs.existsSync(file) ? readSharedJson<GlobalRegistry>(file, asGlobalRegistry) : undefined
}

export function readGlobalRegistry(workspace: string): GlobalRegistry {
  return readJson<GlobalRegistry>(globalRegistry(workspace), asGlobalRegistry)
}

/** An agent's entry as it is on disk now. Throws `unknown-agent` or `registry-unreadable`. */
export function readAgent(ref: AgentRef): AgentEntry {
  validateRef(ref)
  return requireAgent(readTaskRegistry(ref.workspace, ref.taskId), ref)
}

/** The ids of a workspace's tasks: its folders that hold a registry. */
export function listTasks(workspace: string): string[] {
  return fs.readdirSync(workspace).filter(taskId => fs.existsSync(taskRegistry(workspace, taskId)))
}

/** Who may be an agent of a task: for whoever asks whose something else is. Those without an id come with an empty one. */
export const everyEntry = (registry: TaskRegistry): AgentEntry[] => [
  ...registry.agents,
  ...setAsideObjects(registry).map(entry => ({ ...entry, id: '', status: String(entry.status) })),
]

/** True when a registry may list agents that are not among its `agents`. */
export const mayListMore = (registry: TaskRegistry): boolean => setAsideObjects(registry).length > 0

export function findAgent(registry: TaskRegistry, ref: AgentRef): AgentEntry | undefined {
  return registry.agents.find(agent => agent.id === ref.agentId)
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
