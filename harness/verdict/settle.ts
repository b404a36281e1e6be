import { Limit } from '../limit.ts'
import { pauseAfter, poll, pollMs } from '../poll.ts'
import { CannotMeasureError } from '../sandbox/sandbox.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { compare, type Difference } from './compare.ts'
import { count } from './count.ts'
import type { Known } from './scenario-facts.ts'
import type { Verdict } from './verdict.ts'

/** When the rig believes what it sees, ms of a machine that has a processor to spare (`Limit`). */
export interface Patience {
  /** The longest wait for the baseline. */
  deadlineMs: number
  /**
   * A leak is believed sooner than that when nothing has changed for so long. It must be longer than the
   * slowest honest ending: a hung-up Claude takes up to 4.1 s, and a cleanup's grace 3 s.
   */
  restMs: number
  /** How many snapshots in a row must be at the baseline. */
  samples: number
}

/** What the rig measures with: a snapshot, and the process count by another tool. */
export interface Instruments {
  look(): Promise<Snapshot>
  countByPs(): Promise<number>
}

export const defaultPatience: Patience = { deadlineMs: 30_000, restMs: 5_000, samples: 3 }

/**
 * Waits until the sandbox is back at its baseline and stays there, or until it is clear that it will not be.
 * @throws CannotMeasureError when a snapshot could not be read to the end, or two instruments disagree.
 */
export async function settle(
  instruments: Instruments,
  baseline: Snapshot,
  known: Known,
  patience: Patience = defaultPatience,
): Promise<Verdict> {
  let streak = 0
  let reachedAt = 0
  let last: { snapshot: Snapshot; difference: Difference; since: number; rest: Limit } | undefined
  const look = async () => {
    const snapshot = await instruments.look()
    const difference = compare(baseline, snapshot, known)
    const { since, rest } =
      last && same(last.difference, difference) ? last : { since: performance.now(), rest: restOf(patience) }
    last = { snapshot, difference, since, rest }
    const clean = isClean(difference) && snapshot.problems.length === 0
    if (!clean) {
      streak = 0
      return rest.isOver ? last : undefined
    }
    if (streak === 0) reachedAt = snapshot.at
    streak += 1
    return streak >= patience.samples ? last : undefined
  }
  // The longer nothing has changed, the less is missed by looking later: a time is known to a tenth of that rest.
  const pause = () => (streak > 0 || !last ? pollMs : pauseAfter((performance.now() - last.since) / 10))
  const settled = await poll(patience.deadlineMs, look, pause)
  const { snapshot, difference } = settled ?? (last as NonNullable<typeof last>)
  if (snapshot.problems.length > 0) {
    throw new CannotMeasureError(`The probe could not read everything: ${snapshot.problems.join('; ')}.`)
  }
  await requireSecondOpinion(instruments, snapshot)
  return {
    result: result(difference),
    baseline: count(baseline),
    settled: count(snapshot),
    ...difference,
    ...(isClean(difference) ? { msToBaseline: Math.max(0, Math.round(reachedAt - known.endedAt)) } : {}),
    ignored: snapshot.ignored,
  }
}

/** What is waited for here are mostly timers, of claude and of a grace: they are not ten times as long on a busy machine. */
function restOf({ restMs }: Patience): Limit {
  return new Limit(restMs, undefined, 3)
}

function isClean({ leaks, collateral }: Difference): boolean {
  return leaks.length + collateral.length === 0
}

function result(difference: Difference): Verdict['result'] {
  if (difference.collateral.length > 0) return 'collateral'
  return difference.leaks.length > 0 ? 'leak' : 'pass'
}

function same(one: Difference, other: Difference): boolean {
  const ids = ({ leaks, collateral }: Difference) => [...leaks, ...collateral].map(({ id }) => id).join('\n')
  return ids(one) === ids(other)
}

/** ps must count the processes that /proc showed; a process may come or go between the two, but not for seconds. */
async function requireSecondOpinion({ look, countByPs }: Instruments, judged: Snapshot): Promise<void> {
  let opinions = ''
  let first: Snapshot | undefined = judged
  const agreed = await poll(3_000, async () => {
    const [snapshot, byPs] = [first ?? (await look()), await countByPs()]
    first = undefined
    const byProc = count(snapshot).process
    opinions = `/proc shows ${byProc} processes and ps-list ${byPs}`
    return byProc === byPs || undefined
  })
  if (!agreed) throw new CannotMeasureError(`The rig’s two instruments disagree: ${opinions}.`)
}
