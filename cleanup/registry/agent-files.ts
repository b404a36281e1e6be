import path from 'node:path'
import { CleanupError } from '../errors.ts'
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
  streamLog,
} from './layout.ts'

/** One agent's files, each at its real path: no link on the way to it leads out of the workspace. */
export interface AgentFiles {
  /** The workspace's real path, which all of them are below. */
  root: string
  prompt: string
  /** What was noted of its orphans. */
  adoptedChildren: string
  stream: string
  progress: string
  findings: string
  deploy: string
  /** The folder that logs are moved to. */
  archive: string
}

/**
 * Where an agent's files are, by the layout. Throws a CleanupError (`outside-workspace`) when one of them,
 * or a path that its registry entry records, lies outside the workspace, also by way of a symbolic link.
 */
export function agentFiles(ref: AgentRef, entry: AgentEntry): AgentFiles {
  const root = realPath(ref.workspace)
  const inside = (file: string): string => {
    // The file itself may be a link: it is moved or removed as a link, never followed. The way to it must not be.
    const real = path.join(realPath(path.dirname(file)), path.basename(file))
    if (real.startsWith(`${root}${path.sep}`)) return real
    throw new CleanupError(
      'outside-workspace',
      `${file} of agent ${ref.agentId} is refused: it is really ${real}, outside the workspace ${root}. Nothing was ended or deleted; correct the registry or the link.`,
    )
  }
  for (const recorded of [entry.prompt_file, entry.log_file, entry.deploy_log])
    if (typeof recorded === 'string') inside(recordedPath(ref, recorded))
  return {
    root,
    prompt: inside(promptFile(ref)),
    adoptedChildren: inside(adoptedChildrenFile(ref)),
    stream: inside(streamLog(ref)),
    progress: inside(progressFile(ref)),
    findings: inside(findingsFile(ref)),
    deploy: inside(deployLog(ref)),
    archive: path.dirname(inside(path.join(archiveFolder(ref), 'any'))),
  }
}

/**
 * A relative path is meant from where the orchestrator runs, which is beside its workspace, by the name that the workspace
 * has there. We may have come by another, so what begins with the workspace is read from the task's folder on.
 */
function recordedPath({ workspace, taskId }: AgentRef, recorded: string): string {
  const names = path.normalize(recorded).split(path.sep)
  if (!path.isAbsolute(recorded) && names[1] === taskId) return path.join(workspace, ...names.slice(1))
  return path.resolve(path.dirname(workspace), recorded)
}
