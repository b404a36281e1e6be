import fs from 'node:fs'
import path from 'node:path'
import { inodeOf, isSameFile, realWorkspace } from '../platform/files/real-path.ts'
import type { AgentEntry } from './entries.ts'
import { type AgentRef, taskRegistry } from './layout.ts'

/*
 * One workspace has many paths: links, bind mounts, the path that a container or a private mount namespace gives it, and
 * the one before somebody moved it. An agent's entry, its marker and its cgroup name the path that its orchestrator knew.
 */

/** True when both paths lead to one workspace, through whatever links and mounts. */
export const isSameWorkspace = (one: string, other: string): boolean =>
  isSameFile(one, other) || realWorkspace(one) === realWorkspace(other)

/**
 * The path of the workspace in a recorded path, which has the task's folder in it; undefined when it is relative or names
 * something else. Nothing was checked.
 */
export function workspaceIn(recorded: string, { taskId }: AgentRef): string | undefined {
  const names = path.normalize(recorded).split(path.sep)
  const at = names.lastIndexOf(taskId)
  return path.isAbsolute(recorded) && at > 1 && at < names.length - 1
    ? names.slice(0, at).join(path.sep)
    : undefined
}

/**
 * True when a path may have led to this workspace: it does so now, or nothing is there by which it would be another one. A
 * container's path means nothing here, and a workspace that was moved has left its path.
 */
export const mayBePathOf = (named: string, ref: AgentRef): boolean =>
  isSameWorkspace(named, ref.workspace) || isDeserted(named, ref)

/** Nothing at all, the empty folder on which others see the workspace mounted, or a namesake without that task. */
function isDeserted(named: string, { workspace, taskId }: AgentRef): boolean {
  if (inodeOf(named) === undefined || isEmptyFolder(named)) return true
  return path.basename(named) === path.basename(workspace) && !fs.existsSync(taskRegistry(named, taskId))
}

function isEmptyFolder(folder: string): boolean {
  try {
    return fs.readdirSync(folder).length === 0
  } catch {
    return false
  }
}

/** The paths under which an agent's files were recorded that are not another workspace's now. */
export function recordedWorkspaces(ref: AgentRef, entry: AgentEntry): string[] {
  const named = recordedPaths(entry).flatMap(recorded => workspaceIn(recorded, ref) ?? [])
  return [...new Set(named)].filter(one => one !== ref.workspace && mayBePathOf(one, ref))
}

/** The paths that an entry records, as they are. */
export const recordedPaths = ({ prompt_file, log_file, deploy_log }: AgentEntry): string[] =>
  [prompt_file, log_file, deploy_log].filter(recorded => typeof recorded === 'string')
