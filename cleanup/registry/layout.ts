import path from 'node:path'
import { CleanupError } from '../errors.ts'
import { validateAgentId, validateTaskId } from './ids.ts'

/** Names one agent: the absolute path of `.agent-workspace`, the task's folder in it, and the agent's id. */
export interface AgentRef {
  workspace: string
  taskId: string
  agentId: string
}

/** Throws a CleanupError for an id or a workspace that no path may be built from. */
export function validateRef(ref: AgentRef): AgentRef {
  validateWorkspace(ref.workspace)
  validateTaskId(ref.taskId)
  validateAgentId(ref.agentId)
  return ref
}

export function validateWorkspace(workspace: string): string {
  if (path.isAbsolute(workspace) && !workspace.includes('\0')) return workspace
  throw new CleanupError(
    'bad-argument',
    `The workspace ${JSON.stringify(workspace)} is refused: expected an absolute path, so that every process means the same folder by it.`,
  )
}

/**
 * The marker's value, which the orchestrator passes as `tmux new-session -e LEAKRIG_AGENT=<value>`: the absolute
 * task folder and the agent's id, so that it is unique on a machine with several workspaces.
 */
export function agentMarker(ref: AgentRef): string {
  validateRef(ref)
  return `${taskFolder(ref.workspace, ref.taskId)}/${ref.agentId}`
}

/** The agent that a marker's value names, or undefined when the value is not one of ours. */
export function agentOfMarker(value: string): AgentRef | undefined {
  const folder = path.dirname(value)
  const ref = {
    workspace: path.dirname(folder),
    taskId: path.basename(folder),
    agentId: path.basename(value),
  }
  try {
    return validateRef(ref)
  } catch {
    return undefined
  }
}

/** The workspace of a registry, or of what lies beside it: its folder's folder. */
export const workspaceOfFile = (registry: string): string => path.dirname(path.dirname(registry))

/** The workspace of a log in its task's folder `logs`. */
export const workspaceOfLog = (log: string): string => workspaceOfFile(path.dirname(log))

export const sessionName = (ref: AgentRef): string => `agent_${ref.agentId}`

export const globalRegistry = (workspace: string): string =>
  path.join(workspace, 'registry', 'GLOBAL_REGISTRY.json')
export const daemonLock = (workspace: string): string => path.join(workspace, 'registry', 'daemon.lock')
/** What the daemon that an orchestrator started prints. */
export const daemonLog = (workspace: string): string => path.join(workspace, 'registry', 'daemon.log')

export const taskFolder = (workspace: string, taskId: string): string => path.join(workspace, taskId)
export const taskRegistry = (workspace: string, taskId: string): string =>
  path.join(taskFolder(workspace, taskId), 'AGENT_REGISTRY.json')

export const promptFile = (ref: AgentRef): string => inTask(ref, `agent_prompt_${ref.agentId}.txt`)
/** Orphans seen below the agent's subreaper, a line each: pid and start. */
export const adoptedChildrenFile = (ref: AgentRef): string => inTask(ref, `agent_orphans_${ref.agentId}.txt`)
export const streamLog = (ref: AgentRef): string => inTask(ref, 'logs', `${ref.agentId}_stream.jsonl`)
export const deployLog = (ref: AgentRef): string => inTask(ref, 'logs', `deploy_${ref.agentId}.json`)
export const progressFile = (ref: AgentRef): string =>
  inTask(ref, 'progress', `${ref.agentId}_progress.jsonl`)
export const findingsFile = (ref: AgentRef): string =>
  inTask(ref, 'findings', `${ref.agentId}_findings.jsonl`)
export const archiveFolder = (ref: AgentRef): string => inTask(ref, 'archive')

/** Where a log lies after the agent's cleanup, unless that name was taken. */
export const archived = (ref: AgentRef, file: string): string =>
  path.join(archiveFolder(ref), path.basename(file))

/** The folders a task needs before its first agent. */
export const taskFolders = (workspace: string, taskId: string): string[] =>
  ['', 'logs', 'progress', 'findings', 'archive'].map(name => path.join(workspace, taskId, name))

function inTask(ref: AgentRef, ...names: string[]): string {
  return path.join(taskFolder(ref.workspace, ref.taskId), ...names)
}
