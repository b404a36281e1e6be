import fs from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { attemptAsync, CleanupError, messageOf, systemCode, withoutStop } from '../errors.ts'
import { Folder } from '../platform/files/folder.ts'
import { clockShift, readClock } from './clock.ts'
import { remeasureFloors } from './floor.ts'
import { lockRegistry, lockTask } from './locks.ts'
import { pathOf } from './log-file.ts'
import type { ApplyOptions, FileDecision, FileOutcome, RetentionPlan, RetentionReport } from './plan-types.ts'
import { type Recheck, recheckOf } from './recheck.ts'
import { readWriters } from './writers.ts'

/** Files removed under one lock: some ms of work, and a status update of an agent waits no longer than that. */
const BATCH = 500

/**
 * Removes the files that a plan names, and no others. Every file is checked again right before its removal; a file that
 * changed since the plan, or that a guard protects now, is left and reported. A kill at any moment leaves whole files,
 * and the next plan does the rest. Failures are in the report, not thrown.
 */
export async function applyPlan(plan: RetentionPlan, options: ApplyOptions = {}): Promise<RetentionReport> {
  const report: RetentionReport = { outcomes: [], floors: [], problems: [] }
  if (clockShift(plan.clock, readClock()) !== 0)
    report.problems.push(
      'The clock was changed since the plan was made; nothing was removed. Make a new plan.',
    )
  else
    for (const files of byFolder(plan.files.filter(({ action }) => action === 'remove')))
      await attemptAsync(
        () => removeIn(plan, files, options, report),
        problem => report.problems.push(problem),
      )
  report.floors = remeasureFloors(plan)
  return report
}

/** Removes files of one folder. */
async function removeIn(
  plan: RetentionPlan,
  files: readonly FileDecision[],
  { log, signal }: ApplyOptions,
  { outcomes, problems }: RetentionReport,
): Promise<void> {
  const [first] = files
  if (!first || signal?.aborted) return
  const { workspace, taskId, part } = first
  using root = Folder.root(workspace)
  using task = root.open(taskId)
  using folder = task?.open(part)
  if (!folder) throw new CleanupError('unknown-task', `${workspace}/${taskId}/${part} no longer exists.`)
  using _task = lockTask(workspace, taskId)
  for (let from = 0; from < files.length && !signal?.aborted; from += BATCH) {
    const writers = await readWriters()
    using _registry = await lockRegistry(workspace, taskId)
    const recheck = recheckOf(plan, workspace, taskId, writers)
    for (const file of files.slice(from, from + BATCH))
      outcomes.push({ file, ...removeOne(folder, file, recheck, log, problems) })
    await nextTurn()
  }
}

function removeOne(
  folder: Folder,
  file: FileDecision,
  recheck: Recheck,
  log: ApplyOptions['log'],
  problems: string[],
): Omit<FileOutcome, 'file'> {
  try {
    const protectedNow = recheck(folder, file)
    if (protectedNow) return protectedNow
    log?.({ event: 'purge', file: pathOf(file), rule: file.rule })
    fs.unlinkSync(folder.at(file.name))
    return { outcome: 'removed' }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { outcome: 'gone', why: 'another program removed it' }
    problems.push(`${pathOf(file)} could not be removed: ${withoutStop(messageOf(error))}.`)
    return { outcome: 'failed', why: messageOf(error) }
  }
}

function byFolder(files: FileDecision[]): FileDecision[][] {
  return [...Map.groupBy(files, ({ workspace, taskId, part }) => `${workspace}\0${taskId}\0${part}`).values()]
}
