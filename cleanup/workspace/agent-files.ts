import fs from 'node:fs'
import path from 'node:path'
import { CleanupError, systemCode } from '../errors.ts'
import {
  type AgentRef,
  archiveFolder,
  deployLog,
  findingsFile,
  orphansFile,
  progressFile,
  promptFile,
  streamLog,
} from './layout.ts'
import type { AgentEntry } from './registry-types.ts'

/** One agent's files, each at its real path: no link on the way to it leads out of the workspace. */
export interface AgentFiles {
  prompt: string
  /** What was noted of its orphans. */
  orphans: string
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
  const root = realpath(ref.workspace)
  const inside = (file: string): string => {
    // The file itself may be a link: it is moved or removed as a link, never followed. The way to it must not be.
    const real = path.join(realpath(path.dirname(file)), path.basename(file))
    if (real.startsWith(`${root}${path.sep}`)) return real
    throw new CleanupError(
      'outside-workspace',
      `${file} of agent ${ref.agentId} is refused: it is really ${real}, outside the workspace ${root}. Nothing was ended or deleted; correct the registry or the link.`,
    )
  }
  // A relative path is meant from where the orchestrator runs, which is beside its workspace.
  for (const recorded of [entry.prompt_file, entry.log_file, entry.deploy_log])
    if (typeof recorded === 'string') inside(path.resolve(path.dirname(ref.workspace), recorded))
  return {
    prompt: inside(promptFile(ref)),
    orphans: inside(orphansFile(ref)),
    stream: inside(streamLog(ref)),
    progress: inside(progressFile(ref)),
    findings: inside(findingsFile(ref)),
    deploy: inside(deployLog(ref)),
    archive: path.dirname(inside(path.join(archiveFolder(ref), 'any'))),
  }
}

/** The real path of what need not exist: links are resolved as far as there is something. */
function realpath(file: string): string {
  try {
    return fs.realpathSync.native(file)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || path.dirname(file) === file) throw error
    return path.join(realpath(path.dirname(file)), path.basename(file))
  }
}
