import { attemptAsync, withoutStop } from '../errors.ts'
import { applyPolicy, archivedAt, decide, type ReferenceTime } from './apply-policy.ts'
import { type Clock, clockShift, readClock } from './clock.ts'
import { applyFloors } from './floor.ts'
import { findGuard } from './guards.ts'
import { type ActiveHold, holdText, readHold } from './hold.ts'
import type { FileDecision, RetentionPlan } from './plan-types.ts'
import type { RetentionPolicy } from './policy.ts'
import { resolveWorkspaces, type ScannedTask, scanWorkspace } from './scan.ts'
import { totals } from './totals.ts'
import { readWriters, type Writers } from './writers.ts'

export interface PlanOptions {
  /**
   * An earlier reading of the clock, best from the start of a long-lived caller. When the clock was changed since, no
   * file is removed because of its age.
   */
  since?: Clock
  /** Plans as if no hold were in force. */
  ignoreHold?: boolean
}

/**
 * Decides for every log in some workspaces whether it is removed or stays, and why. Reads only, and needs no space on
 * the disk. An unreadable registry is a problem in the plan, and the files of its task stay.
 * Throws a CleanupError: `bad-argument` or `no-workspace` for a path that is not a workspace, `processes-hidden` where
 * the files that processes have open cannot be read.
 */
export async function planRetention(
  workspaces: readonly string[],
  policy: RetentionPolicy,
  { since, ignoreHold = false }: PlanOptions = {},
): Promise<RetentionPlan> {
  const plan: RetentionPlan = {
    ...{ clock: readClock(), policy, ignoreHold, workspaces: [], files: [], totals: [], floors: [] },
    ...{ problems: [], notes: [] },
  }
  for (const workspace of resolveWorkspaces(workspaces)) {
    const hold = readHold(workspace, plan.clock.wallMs)
    if (hold && ignoreHold) plan.notes.push(`${workspace}: this is ignored: ${holdText(hold)}.`)
    plan.workspaces.push({ workspace, ...(hold && !ignoreHold && { hold }) })
  }
  const scanned = new Map<string, ScannedTask[]>()
  for (const { workspace } of plan.workspaces) {
    const tasks = await attemptAsync(
      () => scanWorkspace(workspace),
      why => plan.problems.push(`The workspace ${workspace} could not be read: ${withoutStop(why)}.`),
    )
    scanned.set(workspace, tasks ?? [])
  }
  // After the scan, so that a process that opened a file in the meantime is seen.
  const writers = await readWriters()
  const candidates = plan.workspaces.flatMap(target =>
    decideWorkspace(target, scanned.get(target.workspace) ?? [], writers, since, plan),
  )
  plan.floors = applyFloors(candidates, plan)
  plan.totals = totals(plan.files)
  return plan
}

/** Adds every file of a workspace to the plan, and returns the files that no guard protects. */
function decideWorkspace(
  { workspace, hold }: RetentionPlan['workspaces'][number],
  tasks: ScannedTask[],
  writers: Writers,
  since: Clock | undefined,
  plan: RetentionPlan,
): FileDecision[] {
  const time = referenceTime(tasks, since, plan)
  const candidates: FileDecision[] = []
  const guarded: FileDecision[] = []
  for (const { files, owners, problems } of tasks) {
    plan.problems.push(...problems)
    for (const file of files) {
      const guard = findGuard(file, { owners, writers })
      const doneMs = file.agentId === undefined ? undefined : owners?.of(file.agentId).doneMs
      const sinceMs = archivedAt(file.mtimeMs, doneMs, time.nowMs)
      const decision: FileDecision = {
        ...file,
        ...(sinceMs !== undefined && { sinceMs }),
        ...(guard ? { action: 'leave', ...guard } : { action: 'keep', rule: 'young', why: '' }),
      }
      plan.files.push(decision)
      if (guard) guarded.push(decision)
      else candidates.push(decision)
    }
  }
  if (hold) keepAll(workspace, candidates, hold, plan)
  else applyPolicy(candidates, guarded, plan.policy, time)
  const wrong = candidates.filter(({ rule }) => rule === 'time').length
  if (wrong > 0)
    plan.notes.push(
      `${workspace}: ${wrong} files have a time that cannot be right (in the future, or before 2024), so they count as new. Check the clock, and touch the files once it is right.`,
    )
  return candidates
}

function referenceTime(tasks: ScannedTask[], since: Clock | undefined, plan: RetentionPlan): ReferenceTime {
  const readings = [...(since ? [since] : []), ...tasks.flatMap(({ owners }) => owners?.readings ?? [])]
  const shiftMs = readings.map(reading => clockShift(reading, plan.clock)).find(shift => shift !== 0) ?? 0
  const note = `The clock was changed by ${Math.round(shiftMs / 60_000)} minutes, so no file is removed because of its age. Correct the clock, end the agents that were deployed under the wrong time, and restart the daemon.`
  if (shiftMs !== 0 && !plan.notes.includes(note)) plan.notes.push(note)
  return { nowMs: plan.clock.wallMs, shiftMs }
}

function keepAll(workspace: string, candidates: FileDecision[], hold: ActiveHold, plan: RetentionPlan): void {
  for (const file of candidates) decide(file, 'keep', 'hold', 'a hold is in force')
  const text = `${workspace}: nothing is removed: ${holdText(hold)}.`
  if ('problem' in hold) plan.problems.push(text)
  else plan.notes.push(text)
}
