import path from 'node:path'
import { CleanupError } from '../errors.ts'
import type { Json } from '../platform/files/json.ts'
import { replaceWithin } from '../platform/files/replace-file.ts'
import { statAt } from '../platform/files/stat-at.ts'
import { makeFolder, makeRoot } from '../platform/files/within.ts'
import { setOwn } from '../platform/json/spelling.ts'
import { deriveGlobalCounts, deriveTaskCounts } from './counts.ts'
import type { AgentEntry, GlobalRegistry, TaskRegistry } from './entries.ts'
import { validateTaskId } from './ids.ts'
import {
  type AgentRef,
  globalRegistry,
  taskFolder,
  taskFolders,
  taskRegistry,
  validateRef,
  validateWorkspace,
  workspaceOfFile,
} from './layout.ts'
import { lock, lockFileOf, REGISTRY_BYTE } from './locks.ts'
import { changeGlobal, changeTask, findAgent } from './registry.ts'
import { LOCK_WAIT_MS } from './registry-file.ts'
import { syncGlobal } from './sync-global.ts'

/** Creates the workspace and its global registry if they are missing. Several processes may call it at once. */
export async function initRegistries(workspace: string): Promise<void> {
  const file = globalRegistry(validateWorkspace(workspace))
  makeRoot(workspace)
  makeFolder(workspace, path.dirname(file))
  const empty: GlobalRegistry = { created_at: now(), tasks: {}, agents: {} }
  deriveGlobalCounts(empty)
  await createOnce(file, empty)
}

/**
 * Creates a task's folders and registry, and lists the task in the global registry. All given fields go into both. Throws a
 * CleanupError (`already-there`) when the task exists.
 */
export async function addTask(workspace: string, task: { task_id: string } & Json): Promise<void> {
  validateWorkspace(workspace)
  const taskId = validateTaskId(task.task_id)
  makeRoot(workspace)
  for (const folder of taskFolders(workspace, taskId)) makeFolder(workspace, folder)
  const listed = { created_at: now(), status: 'active', ...task }
  const registry: TaskRegistry = { ...listed, workspace: taskFolder(workspace, taskId), agents: [] }
  deriveTaskCounts(registry)
  if (!(await createOnce(taskRegistry(workspace, taskId), registry)))
    throw new CleanupError(
      'already-there',
      `The task ${taskId} already has a registry in ${taskFolder(workspace, taskId)}; choose another id.`,
    )
  await changeGlobal(workspace, global => {
    setOwn(global.tasks, taskId, listed)
  })
}

/** Lists an agent in both registries. Throws a CleanupError (`already-there`) when the task has an agent of that id. */
export async function addAgent(ref: AgentRef, entry: Omit<AgentEntry, 'id'>): Promise<void> {
  validateRef(ref)
  await changeTask(ref.workspace, ref.taskId, registry => {
    if (findAgent(registry, ref))
      throw new CleanupError('already-there', `The task ${ref.taskId} already has an agent ${ref.agentId}.`)
    registry.agents.push({ ...entry, id: ref.agentId } as AgentEntry)
  })
  await syncGlobal(ref)
}

/** Writes a registry unless it exists. It does so under the lock, so exactly one of several callers succeeds. */
async function createOnce(file: string, registry: object): Promise<boolean> {
  using _ = await lock(lockFileOf(file), REGISTRY_BYTE, LOCK_WAIT_MS)
  // lstat, so that a dangling link counts as existing.
  if (statAt(file)) return false
  // Indented, because people read it.
  replaceWithin(workspaceOfFile(file), file, `${JSON.stringify(registry, null, 2)}\n`)
  return true
}

const now = (): string => new Date().toISOString()
