import path from 'node:path'
import { CleanupError } from '../errors.ts'
import { validateAgentId, validateTaskId } from './ids.ts'

/** Identifies one agent: the absolute path of `.agent-workspace`, the task's id (its folder there), and the agent's id. */
export interface AgentRef {
  workspace: string
  taskId: string
  agentId: string
}

/** Returns the ref if paths may be built from it. Otherwise throws a CleanupError (`bad-id`, `bad-argument`). */
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
    `The workspace ${JSON.stringify(workspace)} is refused: expected an absolute path, which means the same folder to every process.`,
  )
}

/**
 * The value of the marker, which the orchestrator passes as `tmux new-session -e LEAKRIG_AGENT=<value>`: the absolute task
 * folder and the agent's id, so that it is unique across workspaces.
 */
export function agentMarker(ref: AgentRef): string {
  validateRef(ref)
  return `${taskFolder(ref.workspace, ref.taskId)}/${ref.agentId}`
}

/** The agent that a marker's value names; undefined for a value that is not ours. */
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

/** The agent whose stream log a path names, by the layout; undefined for any other path. */
export function agentOfLog(log: string): AgentRef | undefined {
  const agentId = /^(.+)_stream\.jsonl$/.exec(path.basename(log))?.[1]
  const logs = path.dirname(log)
  if (agentId === undefined || path.basename(logs) !== 'logs') return undefined
  const task = path.dirname(logs)
  return { workspace: path.dirname(task), taskId: path.basename(task), agentId }
}

/** The workspace of a registry, or of a file beside it: two folders up. */
export const workspaceOfFile = (registry: string): string => path.dirname(path.dirname(registry))

/** The workspace of a log in a task's folder `logs`. */
export const workspaceOfLog = (log: string): string => workspaceOfFile(path.dirname(log))

export const sessionName = (ref: AgentRef): string => `agent_${ref.agentId}`

export const globalRegistry = (workspace: string): string =>
  path.join(workspace, 'registry', 'GLOBAL_REGISTRY.json')
export const daemonLock = (workspace: string): string => path.join(workspace, 'registry', 'daemon.lock')
/** The output of a daemon that an orchestrator started. */
export const daemonLog = (workspace: string): string => path.join(workspace, 'registry', 'daemon.log')

export const taskFolder = (workspace: string, taskId: string): string => path.join(workspace, taskId)
export const taskRegistry = (workspace: string, taskId: string): string =>
  path.join(taskFolder(workspace, taskId), 'AGENT_REGISTRY.json')

export const promptFile = (ref: AgentRef): string => inTask(ref, `agent_prompt_${ref.agentId}.txt`)
/** Processes seen below the agent's subreaper, one line each: pid and start. */
export const adoptedChildrenFile = (ref: AgentRef): string => inTask(ref, `agent_orphans_${ref.agentId}.txt`)
export const streamLog = (ref: AgentRef): string => inTask(ref, 'logs', `${ref.agentId}_stream.jsonl`)
export const deployLog = (ref: AgentRef): string => inTask(ref, 'logs', `deploy_${ref.agentId}.json`)
/** What claude, or the shell that starts it, prints to its error output. */
export const stderrFile = (ref: AgentRef): string => inTask(ref, 'logs', `deploy_${ref.agentId}.stderr`)
export const progressFile = (ref: AgentRef): string =>
  inTask(ref, 'progress', `${ref.agentId}_progress.jsonl`)
export const findingsFile = (ref: AgentRef): string =>
  inTask(ref, 'findings', `${ref.agentId}_findings.jsonl`)
export const archiveFolder = (ref: AgentRef): string => inTask(ref, 'archive')

/** The path of a log after the agent's cleanup, unless that name was taken. */
export const archived = (ref: AgentRef, file: string): string =>
  path.join(archiveFolder(ref), path.basename(file))

/** The folders that a task needs before its first agent. */
export const taskFolders = (workspace: string, taskId: string): string[] =>
  ['', 'logs', 'progress', 'findings', 'archive'].map(name => path.join(workspace, taskId, name))

function inTask(ref: AgentRef, ...names: string[]): string {
  return path.join(taskFolder(ref.workspace, ref.taskId), ...names)
}
