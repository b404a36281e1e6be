import type { Folder } from '../platform/files/folder.ts'
import { findGuard } from './guards.ts'
import { holdText, readHold } from './hold.ts'
import { readLogFile } from './log-file.ts'
import { readOwners } from './owners.ts'
import type { FileDecision, FileOutcome, RetentionPlan } from './plan-types.ts'
import type { Writers } from './writers.ts'

/** Says why a file that the plan removes must stay after all; undefined when it may be removed. */
export type Recheck = (folder: Folder, file: FileDecision) => Omit<FileOutcome, 'file'> | undefined

/**
 * Reads again what the plan of a task was based on: the hold, the registry (whose lock the caller holds), the open
 * files, and each file itself. Throws a CleanupError (`registry-unreadable`).
 */
export function recheckOf(plan: RetentionPlan, workspace: string, taskId: string, writers: Writers): Recheck {
  const hold = plan.ignoreHold ? undefined : readHold(workspace, Date.now())
  const owners = readOwners(workspace, taskId)
  return (folder, file) => {
    if (hold) return { outcome: 'changed', why: `nothing may be removed now: ${holdText(hold)}` }
    const now = readLogFile(folder, file, file.name)
    if (!now) return { outcome: 'gone', why: 'another program removed it' }
    if (now.identity !== file.identity)
      return { outcome: 'changed', why: 'it was written or replaced since the plan was made' }
    const guard = findGuard(now, { owners, writers })
    return guard && { outcome: 'changed', why: guard.why }
  }
}
