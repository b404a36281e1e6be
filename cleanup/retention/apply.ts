import { CleanupError, messageOf } from '../errors.ts'
import { Folder } from '../platform/files/folder.ts'
import { movedSince, readClock } from './clock.ts'
import { compressFiles } from './compress-files.ts'
import { reviewFloors } from './floor.ts'
import type { Work } from './folder-job.ts'
import { takeTask } from './locks.ts'
import type { ApplyOptions, PlannedFile, RetentionPlan, RetentionReport } from './plan-types.ts'
import { removeFiles } from './remove-files.ts'

/**
 * Does what a plan names, and nothing else. Each file is looked at once more right before: what changed since, or
 * must not be touched any more, is left and said. Removes first, because compressing needs space. It can be killed at
 * any moment: whatever is there then is whole, and the next plan goes on. What fails is in the report, not thrown.
 */
export async function applyPlan(plan: RetentionPlan, options: ApplyOptions = {}): Promise<RetentionReport> {
  const startedAt = performance.now()
  const report: RetentionReport = { outcomes: [], floors: [], problems: [], ms: 0 }
  if (movedSince(plan.clock, readClock()) !== 0)
    report.problems.push('The clock was moved since the plan was made; nothing was done. Make a new plan.')
  else
    for (const action of ['remove', 'compress'] as const)
      for (const files of byFolder(plan.files.filter(file => file.action === action)))
        if (!options.signal?.aborted) await applyIn(plan, files, options, report)
  report.floors = reviewFloors(plan)
  report.ms = performance.now() - startedAt
  return report
}

async function applyIn(
  plan: RetentionPlan,
  files: PlannedFile[],
  options: ApplyOptions,
  { outcomes, problems }: RetentionReport,
): Promise<void> {
  const [first] = files
  if (!first) return
  const { workspace, taskId, part } = first
  try {
    using root = Folder.root(workspace)
    using task = root.open(taskId)
    using folder = task?.open(part)
    if (!folder) throw new CleanupError('unknown-task', `${workspace}/${taskId}/${part} is gone.`)
    using _ = takeTask(workspace, taskId)
    const work: Work = { plan, workspace, taskId, part, folder, files, options, outcomes, problems }
    await (first.action === 'remove' ? removeFiles(work) : compressFiles(work))
  } catch (error) {
    // A file of which nothing was reported was not touched.
    problems.push(messageOf(error))
  }
}

function byFolder(files: PlannedFile[]): PlannedFile[][] {
  return [...Map.groupBy(files, ({ workspace, taskId, part }) => `${workspace}\0${taskId}\0${part}`).values()]
}
