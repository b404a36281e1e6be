import { messageOf } from '../errors.ts'
import { choose, decide, type Now, putAwayAt } from './apply-policy.ts'
import { type Clock, movedSince, readClock } from './clock.ts'
import { reachFloors } from './floor.ts'
import { objection } from './guards.ts'
import { type HoldFound, holdText, readHold } from './hold.ts'
import type { PlannedFile, RetentionPlan } from './plan-types.ts'
import type { RetentionPolicy } from './policy.ts'
import { rootsOf } from './roots.ts'
import { type SeenTask, scanTask, tasksOf } from './scan.ts'
import { totals } from './totals.ts'
import { readWriters, type Writers } from './writers.ts'

/** Gives each workspace the policy of its own, by its real path. */
type PolicyOf = (workspace: string) => RetentionPolicy | Promise<RetentionPolicy>

export interface PlanOptions {
  /** An earlier reading of the clock, best from the start of a long-lived caller: nothing goes by age once it was moved. */
  since?: Clock
  /** A hold on every workspace, besides the one on its disk. */
  hold?: HoldFound
  /** Does as if there were no hold. */
  ignoreHold?: boolean
}

/** Smaller files have no block to win. */
const WORTH_COMPRESSING_BYTES = 4096
/** A file with so many times more bytes than it takes on the disk is mostly holes, which take hours to read and free nothing. */
const MOSTLY_HOLES = 100

/**
 * Decides, of everything in the workspaces that retention is about, what goes and what stays, and why. Reads only,
 * and needs no space on the disk. `policy` may differ from workspace to workspace. A registry that cannot be read is
 * a problem in the plan, and its task's files stay.
 * Throws a CleanupError: `bad-argument` or `no-workspace` for a workspace that is none, `processes-hidden` where it
 * cannot be told who has a file open.
 */
export async function planRetention(
  workspaces: readonly string[],
  policy: RetentionPolicy | PolicyOf,
  options: PlanOptions = {},
): Promise<RetentionPlan> {
  const clock = readClock()
  const { ignoreHold = false } = options
  const plan: RetentionPlan = {
    clock,
    workspaces: [],
    ignoreHold,
    files: [],
    totals: [],
    floors: [],
    problems: [],
    notes: [],
  }
  for (const workspace of rootsOf(workspaces)) {
    const hold = ignoreHold ? undefined : (options.hold ?? readHold(workspace, clock.wallMs))
    const own = typeof policy === 'function' ? await policy(workspace) : policy
    plan.workspaces.push({ workspace, policy: own, ...(hold && { hold }) })
  }
  const seen = new Map<string, SeenTask[]>()
  for (const { workspace } of plan.workspaces)
    seen.set(workspace, await scan(workspace).catch(error => gone(workspace, error, plan)))
  // After the files: whoever has opened one in the meantime is seen.
  const writers = await readWriters()
  const candidates: PlannedFile[] = []
  for (const target of plan.workspaces)
    candidates.push(...judge(target, seen.get(target.workspace) ?? [], writers, options.since, plan))
  plan.floors = reachFloors(candidates, plan.workspaces)
  for (const { workspace, policy: own } of plan.workspaces)
    markForCompression(
      candidates.filter(file => file.workspace === workspace),
      own,
    )
  plan.totals = totals(plan.files)
  return plan
}

async function scan(workspace: string): Promise<SeenTask[]> {
  const tasks: SeenTask[] = []
  for (const taskId of tasksOf(workspace)) tasks.push(await scanTask(workspace, taskId))
  return tasks
}

/** Somebody removed the workspace while we looked. The others are planned all the same. */
function gone(workspace: string, error: unknown, plan: RetentionPlan): SeenTask[] {
  plan.problems.push(`The workspace ${workspace} could not be read: ${messageOf(error)}.`)
  return []
}

/** Puts every file of a workspace into the plan, and returns those over which policy decides. */
function judge(
  { workspace, policy, hold }: RetentionPlan['workspaces'][number],
  tasks: SeenTask[],
  writers: Writers,
  since: Clock | undefined,
  plan: RetentionPlan,
): PlannedFile[] {
  const now = nowFor(tasks, since, plan)
  const candidates: PlannedFile[] = []
  const fixed: PlannedFile[] = []
  for (const { files, owners, problems } of tasks) {
    plan.problems.push(...problems)
    for (const file of files) {
      const objected = objection(file, { owners, writers })
      const doneMs = file.agentId === undefined ? undefined : owners?.of(file.agentId).doneMs
      const sinceMs = putAwayAt(file.mtimeMs, doneMs, now.nowMs)
      const planned: PlannedFile = {
        ...file,
        ...(sinceMs !== undefined && { sinceMs }),
        ...(objected ? { action: 'leave', ...objected } : { action: 'keep', rule: 'young', why: '' }),
      }
      plan.files.push(planned)
      if (objected) fixed.push(planned)
      else candidates.push(planned)
    }
  }
  if (hold) holdAll(workspace, candidates, hold, plan)
  else choose(candidates, fixed, policy, now)
  const wrong = candidates.filter(({ rule }) => rule === 'time').length
  if (wrong > 0)
    plan.notes.push(
      `${workspace}: ${wrong} files have a time that cannot be right (in the future, or before 2024); they count as new. Look at the clock, and touch them once it is right.`,
    )
  return candidates
}

function nowFor(tasks: SeenTask[], since: Clock | undefined, plan: RetentionPlan): Now {
  const readings = [...(since ? [since] : []), ...tasks.flatMap(({ owners }) => owners?.readings ?? [])]
  const movedMs = readings.map(reading => movedSince(reading, plan.clock)).find(moved => moved !== 0) ?? 0
  const note = `The clock was moved by ${Math.round(movedMs / 60_000)} minutes, so nothing goes by its age. Set it right; agents that were deployed under the wrong one must have ended, and the daemon must have been restarted.`
  if (movedMs !== 0 && !plan.notes.includes(note)) plan.notes.push(note)
  return { nowMs: plan.clock.wallMs, movedMs }
}

function holdAll(workspace: string, candidates: PlannedFile[], hold: HoldFound, plan: RetentionPlan): void {
  for (const file of candidates) decide(file, 'keep', 'hold', 'nothing is purged while there is a hold')
  const text = `${workspace}: nothing is purged, there is a hold ${holdText(hold)}.`
  if ('unreadable' in hold) plan.problems.push(text)
  else plan.notes.push(text)
}

function markForCompression(candidates: readonly PlannedFile[], { compress }: RetentionPolicy): void {
  if (compress === 'none') return
  for (const file of candidates) {
    if (file.action !== 'keep' || file.rule === 'hold' || file.part !== 'archive' || file.packed) continue
    // With a second name the bytes would stay where they are.
    if (file.bytes < WORTH_COMPRESSING_BYTES || file.freesBytes === 0) continue
    if (file.bytes > MOSTLY_HOLES * file.freesBytes) continue
    decide(file, 'compress', 'compress', `${file.why}; ${compress}`)
  }
}
