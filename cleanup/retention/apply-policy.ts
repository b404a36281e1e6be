import { formatBytes } from '../platform/bytes.ts'
import { LOG_CLASSES } from './classes.ts'
import type { FileDecision, Rule } from './plan-types.ts'
import type { RetentionPolicy } from './policy.ts'

const DAY_MS = 86_400_000
/** A file server's clock may be ahead of ours by this much, in ms. */
const CLOCK_SKEW_MS = 60_000
/** No agent of this kind existed earlier, so an earlier time comes from a wrong clock. */
const EARLIEST_MS = Date.UTC(2024, 0, 1)

/** The time that ages are measured against. */
export interface ReferenceTime {
  nowMs: number
  /** By how much the wall clock was changed, in ms; 0 when no change was noticed. */
  shiftMs: number
}

/**
 * When a file was archived, by the wall clock in ms: its last write, or the end of its agent's cleanup if that came
 * later. Undefined when that time cannot be right. (ctime does not serve: a backup that hard-links files sets it anew.)
 */
export function archivedAt(mtimeMs: number, doneMs: number | undefined, nowMs: number): number | undefined {
  const sinceMs = Math.max(mtimeMs, doneMs ?? 0)
  return sinceMs >= EARLIEST_MS && sinceMs <= nowMs + CLOCK_SKEW_MS ? sinceMs : undefined
}

/**
 * Decides which candidates of one workspace are removed: by number, by age, then by size. `guarded` are the files that
 * stay whatever the policy is; the archives among them count for the size.
 */
export function applyPolicy(
  candidates: FileDecision[],
  guarded: readonly FileDecision[],
  policy: RetentionPolicy,
  time: ReferenceTime,
): void {
  for (const kind of LOG_CLASSES) {
    const ofClass = candidates.filter(file => file.class === kind && !file.draft).sort(newestFirst)
    for (const [rank, file] of ofClass.entries()) applyAge(file, rank, policy, time)
  }
  for (const file of candidates)
    if (file.draft) decide(file, 'remove', 'draft', 'an unfinished compression of an earlier version')
  const archives = guarded.filter(file => file.part === 'archive' && file.class !== 'unknown')
  applySize(candidates, archives, policy.maxBytes)
}

function applyAge(
  file: FileDecision,
  rank: number,
  { keepLast, keepDays }: RetentionPolicy,
  { nowMs, shiftMs }: ReferenceTime,
): void {
  const limit = `${keepDays} ${keepDays === 1 ? 'day' : 'days'}`
  if (rank < keepLast) decide(file, 'keep', 'keep-last', `among the newest ${keepLast} of its class`)
  else if (file.sinceMs === undefined)
    decide(file, 'keep', 'time', `its time, ${dateOf(file.mtimeMs)}, cannot be right, so it counts as new`)
  else if (nowMs - file.sinceMs <= keepDays * DAY_MS) decide(file, 'keep', 'young', `not older than ${limit}`)
  else if (shiftMs !== 0) decide(file, 'keep', 'clock', 'the clock was changed, so its age is unknown')
  else decide(file, 'remove', 'keep-days', `older than ${limit}`)
}

function applySize(
  candidates: readonly FileDecision[],
  guarded: readonly FileDecision[],
  limit: number | undefined,
): void {
  if (limit === undefined) return
  const staying = [...guarded, ...candidates.filter(({ action }) => action !== 'remove')]
  let total = staying.reduce((sum, { bytes }) => sum + bytes, 0)
  for (const file of removableOldestFirst(candidates)) {
    if (total <= limit) return
    decide(file, 'remove', 'max-bytes', `the archives together are larger than ${formatBytes(limit)}`)
    total -= file.bytes
  }
}

/** The candidates that may be removed to gain space. `keep-last` and a hold protect files even then. */
export function removableOldestFirst(candidates: readonly FileDecision[]): FileDecision[] {
  return candidates
    .filter(({ action, rule }) => action === 'keep' && rule !== 'keep-last' && rule !== 'hold')
    .sort((a, b) => newestFirst(b, a))
}

export function decide(file: FileDecision, action: FileDecision['action'], rule: Rule, why: string): void {
  Object.assign(file, { action, rule, why })
}

/** A file whose time cannot be right counts as the newest. */
function newestFirst(a: FileDecision, b: FileDecision): number {
  const [first, second] = [a.sinceMs ?? Number.MAX_VALUE, b.sinceMs ?? Number.MAX_VALUE]
  return second - first || (a.name < b.name ? -1 : 1)
}

function dateOf(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? 'out of range' : date.toISOString()
}
