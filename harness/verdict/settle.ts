import { CannotMeasureError } from '../errors.ts'
import { Limit } from '../limit.ts'
import { pauseAfter, poll, pollMs } from '../poll.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { count } from '../timeline/counts.ts'
import { compare, type Difference } from './compare.ts'
import type { ScenarioFacts } from './scenario-facts.ts'
import type { Verdict } from './verdict.ts'

/** How long a settling may take, in ms of a machine that has a processor to spare (`Limit`). */
export interface SettleTiming {
  /** The longest wait for the baseline. */
  deadlineMs: number
  /**
   * A leak is certain before the deadline when nothing has changed for so long. This must be longer than the slowest
   * regular ending: a claude that gets SIGHUP takes up to 4.1 s, and the grace of a cleanup 3 s.
   */
  restMs: number
  /** How many snapshots in a row must be at the baseline. */
  samples: number
}

/** What the rig measures with. */
export interface Instruments {
  snapshot(): Promise<Snapshot>
  /** The number of processes by another tool. */
  countByPs(): Promise<number>
}

/** A verdict without its counts, and the snapshot that it is based on. */
export type Settled = Omit<Verdict, 'counts'> & { snapshot: Snapshot }

export const defaultTiming: SettleTiming = { deadlineMs: 30_000, restMs: 5_000, samples: 3 }

/**
 * Waits until the sandbox is back at its baseline and stays there, or until it is clear that it will not return.
 * @throws CannotMeasureError when a snapshot is incomplete, or the two instruments disagree
 */
export async function settle(
  instruments: Instruments,
  baseline: Snapshot,
  facts: ScenarioFacts,
  timing: SettleTiming = defaultTiming,
): Promise<Settled> {
  let streak = 0
  let reachedAt = 0
  let last: { snapshot: Snapshot; difference: Difference; since: number; rest: Limit } | undefined
  const sample = async () => {
    const snapshot = await instruments.snapshot()
    const difference = compare(baseline, snapshot, facts)
    const { since, rest } =
      last && same(last.difference, difference) ? last : { since: performance.now(), rest: restOf(timing) }
    last = { snapshot, difference, since, rest }
    const clean = isClean(difference) && snapshot.problems.length === 0
    if (!clean) {
      streak = 0
      return rest.isOver ? last : undefined
    }
    if (streak === 0) reachedAt = snapshot.at
    streak += 1
    return streak >= timing.samples ? last : undefined
  }
  // The longer nothing has changed, the longer the pause may be: the reported time is exact to a tenth of it.
  const pause = () => (streak > 0 || !last ? pollMs : pauseAfter((performance.now() - last.since) / 10))
  const settled = await poll(timing.deadlineMs, sample, pause)
  const { snapshot, difference } = settled ?? (last as NonNullable<typeof last>)
  if (snapshot.problems.length > 0) {
    throw new CannotMeasureError(`The probe could not read everything: ${snapshot.problems.join('; ')}.`)
  }
  await requireSecondOpinion(instruments, snapshot)
  return {
    result: result(difference),
    ...difference,
    ...(isClean(difference) ? { msToBaseline: Math.max(0, Math.round(reachedAt - facts.endedAt)) } : {}),
    ignored: snapshot.ignored,
    snapshot,
  }
}

/** A rest is mostly the time of timers, claude's and that of a grace, so a busy machine stretches it by three, not ten. */
const longestRest = 3

function restOf({ restMs }: SettleTiming): Limit {
  return new Limit(restMs, undefined, longestRest)
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

/** ps must count the processes that /proc showed. One may come or go between the two readings, but not for seconds. */
async function requireSecondOpinion({ snapshot, countByPs }: Instruments, settled: Snapshot): Promise<void> {
  let opinions = ''
  let first: Snapshot | undefined = settled
  const agreed = await poll(3_000, async () => {
    const [current, byPs] = [first ?? (await snapshot()), await countByPs()]
    first = undefined
    const byProc = count(current.resources).processes
    opinions = `/proc shows ${byProc} processes and ps-list ${byPs}`
    return byProc === byPs || undefined
  })
  if (!agreed) throw new CannotMeasureError(`The rig’s two instruments disagree: ${opinions}.`)
}
