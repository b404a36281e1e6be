import path from 'node:path'
import { CleanupError, messageOf } from '../errors.ts'
import { realPath } from '../platform/files/real-path.ts'
import type { AgentEntry } from './entries.ts'
import {
  type AgentRef,
  adoptedChildrenFile,
  archiveFolder,
  deployLog,
  findingsFile,
  progressFile,
  promptFile,
  stderrFile,
  streamLog,
} from './layout.ts'
import { mayBePathOf, recordedPaths, workspaceIn } from './workspace-paths.ts'

/** One agent's files, each at its real path: no link on the way leads out of the workspace. */
export interface AgentFiles {
  /** The workspace's real path, which contains all of them. */
  root: string
  prompt: string
  /** The record of the subreaper's adopted processes. */
  adoptedChildren: string
  stream: string
  progress: string
  findings: string
  deploy: string
  /** claude's error output. */
  stderr: string
  /** The folder to which logs are moved. */
  archive: string
}

/**
 * The paths of an agent's files, by the layout. Throws a CleanupError (`outside-workspace`) when one of them, or a path in
 * the agent's entry, lies outside the workspace, directly or through a link, or leads nowhere.
 */
export function agentFiles(ref: AgentRef, entry: AgentEntry): AgentFiles {
  const root = realPath(ref.workspace)
  const folders = new Map<string, string>()
  const inside = (file: string): string => {
    // The file itself may be a link, which is moved or removed and never followed. A link on the way is refused.
    const folder = path.dirname(file)
    try {
      const realFolder = folders.get(folder) ?? realPath(folder)
      folders.set(folder, realFolder)
      const real = path.join(realFolder, path.basename(file))
      if (real.startsWith(`${root}${path.sep}`)) return real
      throw new Error(`its real path ${real} is outside the workspace ${root}`)
    } catch (error) {
      // A circle of links, or a name that no file can have, has no real path.
      throw new CleanupError(
        'outside-workspace',
        `${file} of agent ${ref.agentId} is refused: ${messageOf(error)}. Nothing was ended or deleted; correct the registry or the link.`,
      )
    }
  }
  for (const recorded of recordedPaths(entry)) inside(ownPath(ref, recorded))
  return {
    root,
    prompt: inside(promptFile(ref)),
    adoptedChildren: inside(adoptedChildrenFile(ref)),
    stream: inside(streamLog(ref)),
    progress: inside(progressFile(ref)),
    findings: inside(findingsFile(ref)),
    deploy: inside(deployLog(ref)),
    stderr: inside(stderrFile(ref)),
    archive: path.dirname(inside(path.join(archiveFolder(ref), 'any'))),
  }
}

/**
 * The path below our path of the workspace that a recorded path means. An orchestrator may know the workspace by another path,
 * and one that runs in the folder above it records relative paths, with the name that the workspace has there. So both are
 * taken from the task's folder on. The path of another workspace stays as it is.
 */
function ownPath(ref: AgentRef, recorded: string): string {
  const { workspace, taskId } = ref
  const named = workspaceIn(recorded, ref)
  if (named !== undefined && (named === workspace || mayBePathOf(named, ref)))
    return path.join(workspace, path.relative(named, recorded))
  const names = path.normalize(recorded).split(path.sep)
  if (!path.isAbsolute(recorded) && names[1] === taskId) return path.join(workspace, ...names.slice(1))
  return path.resolve(path.dirname(workspace), recorded)
}
