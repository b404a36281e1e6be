import type { Folder } from '../platform/files/folder.ts'
import { objection } from './guards.ts'
import { holdText, readHold } from './hold.ts'
import { lookAt } from './look.ts'
import { readOwners } from './owners.ts'
import type { FileOutcome, PlannedFile, RetentionPlan } from './plan-types.ts'
import type { Writers } from './writers.ts'

/** Says why a planned file must not be touched now after all; undefined when it is still what the plan saw. */
export type Recheck = (folder: Folder, file: PlannedFile) => Pick<FileOutcome, 'outcome' | 'why'> | undefined

/**
 * Looks at a task anew, right before something in it is removed: at the hold, at the registry (whose lock the caller
 * holds), at who writes, and at each file itself. Throws a CleanupError (`registry-unreadable`).
 */
export function recheckOf(plan: RetentionPlan, workspace: string, taskId: string, writers: Writers): Recheck {
  const hold = plan.ignoreHold ? undefined : readHold(workspace, Date.now())
  const owners = readOwners(workspace, taskId)
  return (folder, file) => {
    if (hold) return { outcome: 'changed', why: `there is a hold now, ${holdText(hold)}` }
    const now = lookAt(folder, file, file.name)
    if (!now) return { outcome: 'gone', why: 'somebody else removed it' }
    if (now.identity !== file.identity)
      return { outcome: 'changed', why: 'it is not what the plan saw: it was written or replaced since' }
    const objected = objection(now, { owners, writers })
    return objected ? { outcome: 'changed', why: objected.why } : undefined
  }
}
