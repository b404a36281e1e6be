import fs from 'node:fs'
import path from 'node:path'
import { contains } from '../../platform/files/file-system.ts'
import { folderOf } from '../../platform/processes/details.ts'
import { type Presence, presenceFor } from '../../platform/processes/missing-folder.ts'
import { sharesPids } from '../../platform/processes/namespaces.ts'
import { type Descriptor, isOpenForWriting } from '../../platform/processes/open-files.ts'
import { isAlive, type Machine, type SeenProcess } from '../../platform/processes/table.ts'
import { type AgentRef, workspaceOfLog } from '../../registry/layout.ts'
import { logOfPart } from '../../registry/log-parts.ts'
import { agentsByMarker } from '../../registry/marker.ts'
import { recordedPaths, workspaceIn } from '../../registry/workspace-paths.ts'
import type { ListedAgent } from './listed.ts'

/** What the kernel adds to the path of a file or folder that was removed. */
const DELETED = ' (deleted)'

/** What shows that a process belongs to an agent whose workspace is not there. */
export interface OfRemoved {
  /** For people. */
  why: string
  /**
   * The agent that its marker names; undefined where only the log that it writes shows it, or where the workspace may be on a
   * disk that is not mounted.
   */
  agent?: AgentRef
}

/**
 * Returns a function that tells whether a process belongs to an agent whose workspace was removed, by its marker or by the
 * deleted log that it writes. A workspace that is not at its path may be in the mount namespace of the process, or may have
 * been moved: an agent that writes a log which still has a name, wherever that is, has a workspace, and so has one whose
 * entry in a registry records the former path (`agents`).
 */
export function ofRemovedWorkspaces(
  { table, openFiles }: Machine,
  agents: readonly ListedAgent[] = [],
): (process: SeenProcess) => OfRemoved | undefined {
  const agentOf = agentsByMarker([])
  const moved = new Set(agents.filter(({ isDone }) => !isDone).flatMap(formerWorkspaces))
  const writers = [...openFiles]
    .filter(([file]) => isLog(path.basename(file)))
    .flatMap(([file, all]) =>
      all.filter(isOpenForWriting).map(one => ({ file, ...one, named: hasName(one) })),
    )
  const running = new Set(
    writers.flatMap(({ pid, named }) => (named ? (table.get(pid)?.environment.marker ?? []) : [])),
  )
  const deleted = new Map(writers.flatMap(({ pid, file, named }) => (named ? [] : [[pid, file] as const])))
  /** True when a process of this agent works in a removed folder of the workspace, or writes a removed log there. */
  const holdsRemoved = (marker: string, workspace: string) =>
    [...table.values()].some(
      ({ pid, environment }) =>
        environment.marker === marker &&
        [folderOf(pid), deleted.get(pid)].some(
          held => held?.endsWith(DELETED) && contains(workspace, held.slice(0, -DELETED.length)),
        ),
    )
  const presence = (process: SeenProcess, workspace: string): Presence => {
    if (!sharesPids(process.pid) || moved.has(workspace)) return 'there'
    const found = presenceFor(process, workspace)
    // Of a process that has ended since, nothing shows whether its workspace existed.
    return isAlive(process) ? found : 'there'
  }

  return process => {
    const { marker = '' } = process.environment
    const agent = agentOf(marker)
    const log = deleted.get(process.pid)
    if (running.has(marker)) return undefined
    if (agent) {
      const found = presence(process, agent.workspace)
      if (found === 'there') return undefined
      const named = `LEAKRIG_AGENT=${marker}, of a workspace that `
      return found === 'removed' || holdsRemoved(marker, agent.workspace)
        ? { why: `${named}no longer exists`, agent }
        : { why: `${named}is not at its path, and may be on a disk that is not mounted` }
    }
    return log !== undefined && presence(process, workspaceOfLog(log)) !== 'there'
      ? { why: `it writes ${log}, of a workspace that no longer exists` }
      : undefined
  }
}

/** The paths by which an agent's entry knows its workspace. */
const formerWorkspaces = ({ ref, entry }: ListedAgent): string[] =>
  recordedPaths(entry).flatMap(recorded => workspaceIn(recorded, ref) ?? [])

/** The stream log of any agent, an older part of it, or its error output; of a deleted file too. */
function isLog(name: string): boolean {
  const now = name.replace(/ \(deleted\)$/, '')
  return /_stream\.jsonl$|^deploy_.*\.stderr$/.test(logOfPart(now) ?? now)
}

function hasName({ pid, fd }: Descriptor): boolean {
  try {
    return fs.statSync(`/proc/${pid}/fd/${fd}`).nlink > 0
  } catch {
    // Nothing shows that its workspace is gone.
    return true
  }
}
