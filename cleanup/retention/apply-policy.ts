import { formatBytes } from './bytes.ts'
import { LOG_CLASSES, type LogClass } from './classes.ts'
import type { PlannedFile, Rule } from './plan-types.ts'
import type { RetentionPolicy } from './policy.ts'

const DAY_MS = 86_400_000
/** How far ahead of our clock a file server's may be, in ms. */
const SLACK_MS = 60_000
/** No agent of this kind wrote anything before; a file that says so was written under a wrong clock. */
const EARLIEST_MS = Date.UTC(2024, 0, 1)

/** The time that ages are measured against. */
export interface Now {
  nowMs: number
  /** By how much the clock was moved, in ms; 0 when it is right as far as one can tell. */
  movedMs: number
}

/**
 * When a file was put away, by the wall clock in ms: the last write of its last event, or the end of its agent's
 * cleanup, if that was later. (ctime would also know, but every backup that links files sets it anew.) Undefined
 * when the time cannot be right.
 */
export function putAwayAt(mtimeMs: number, doneMs: number | undefined, nowMs: number): number | undefined {
  const sinceMs = Math.max(mtimeMs, doneMs ?? 0)
  return sinceMs >= EARLIEST_MS && sinceMs <= nowMs + SLACK_MS ? sinceMs : undefined
}

/**
 * Decides over the files of one workspace that may go: by number, by age, then by size. `fixed` are those that
 * must not be touched: they count for the size.
 */
export function choose(
  candidates: PlannedFile[],
  fixed: readonly PlannedFile[],
  policy: RetentionPolicy,
  now: Now,
): void {
  for (const kind of LOG_CLASSES) {
    const ofClass = candidates.filter(file => file.class === kind && !file.draft).sort(newestFirst)
    for (const [rank, file] of ofClass.entries()) byAge(file, kind, rank, policy, now)
  }
  for (const file of candidates)
    if (file.draft) decide(file, 'remove', 'leftover', 'half a compression that was cut short')
  const archives = fixed.filter(file => file.part === 'archive' && file.class !== 'unknown')
  for (const kind of [...LOG_CLASSES, 'all'] as const)
    bySize(
      candidates.filter(file => kind === 'all' || file.class === kind),
      archives.filter(file => kind === 'all' || file.class === kind),
      policy.maxBytes[kind],
      kind,
    )
}

function byAge(file: PlannedFile, kind: LogClass, rank: number, policy: RetentionPolicy, now: Now): void {
  const [last, days] = [policy.keepLast[kind], policy.keepDays[kind]]
  const limit = `${days} ${days === 1 ? 'day' : 'days'}`
  if (rank < last) decide(file, 'keep', 'keep-last', `among the newest ${last} of its class`)
  else if (file.sinceMs === undefined)
    decide(file, 'keep', 'time', `its time, ${dateOf(file.mtimeMs)}, cannot be right: it counts as new`)
  else if (now.nowMs - file.sinceMs <= days * DAY_MS) decide(file, 'keep', 'young', `not older than ${limit}`)
  else if (now.movedMs !== 0) decide(file, 'keep', 'clock', 'the clock was moved: its age is not known')
  else decide(file, 'remove', 'keep-days', `older than ${limit}`)
}

function bySize(
  candidates: readonly PlannedFile[],
  fixed: readonly PlannedFile[],
  limit: number | undefined,
  kind: LogClass | 'all',
): void {
  if (limit === undefined) return
  let bytes = sizeOf([...fixed, ...candidates.filter(({ action }) => action !== 'remove')])
  const what = kind === 'all' ? 'the archives are' : `the ${kind} archives are`
  for (const file of removable(candidates)) {
    if (bytes <= limit) return
    decide(file, 'remove', 'max-bytes', `${what} larger than ${formatBytes(limit)} together`)
    bytes -= file.bytes
  }
}

/** What can go for the sake of space, oldest first. The newest of a class, which `keep-last` names, stay even then. */
export function removable(candidates: readonly PlannedFile[]): PlannedFile[] {
  return candidates
    .filter(({ action, rule }) => action === 'keep' && rule !== 'keep-last' && rule !== 'hold')
    .sort((a, b) => newestFirst(b, a))
}

export function decide(file: PlannedFile, action: PlannedFile['action'], rule: Rule, why: string): void {
  Object.assign(file, { action, rule, why })
}

const sizeOf = (files: readonly { bytes: number }[]): number =>
  files.reduce((sum, { bytes }) => sum + bytes, 0)

/** A file whose time cannot be right counts as the newest. */
function newestFirst(a: PlannedFile, b: PlannedFile): number {
  const [first, second] = [a.sinceMs ?? Number.MAX_VALUE, b.sinceMs ?? Number.MAX_VALUE]
  return second - first || (a.name < b.name ? -1 : 1)
}

function dateOf(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? 'out of all range' : date.toISOString()
}
