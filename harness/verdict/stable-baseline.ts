import { CannotMeasureError } from '../errors.ts'
import { Limit } from '../limit.ts'
import { pauseAfter, poll } from '../poll.ts'
import type { Resource, Snapshot } from '../snapshot/snapshot.ts'

/**
 * Waits until at least three snapshots in a row, over at least `restMs`, show the same resources, and returns the last.
 * @throws CannotMeasureError when that does not happen in time; the message names what came and went
 */
export async function stableBaseline(
  take: () => Promise<Snapshot>,
  restMs = 100,
  deadlineMs = 15_000,
): Promise<Snapshot> {
  let last: Snapshot | undefined
  let streak = 0
  let since = 0
  let changing: string[] = []
  const limit = new Limit(deadlineMs)
  const sample = async () => {
    const next = await take()
    const changed = last ? changes(last, next) : ['the first snapshot']
    if (changed.length > 0) changing = changed
    streak = changed.length === 0 ? streak + 1 : 1
    if (streak === 1) since = performance.now()
    last = next
    return streak >= 3 && performance.now() - since >= restMs ? next : undefined
  }
  // More than three in the same time would show nothing new.
  const stable = await poll(deadlineMs, sample, () => pauseAfter(restMs / 3))
  if (stable) return stable
  throw new CannotMeasureError(
    `The baseline was not stable within ${limit.elapsed}; the last changes: ${changing.join(', ')}.`,
  )
}

function changes(one: Snapshot, other: Snapshot): string[] {
  const problems = [...one.problems, ...other.problems]
  return [...missing(one, other), ...missing(other, one), ...problems]
}

/** A process that still opens files is not stable either. */
function missing(from: Snapshot, to: Snapshot): string[] {
  const key = (one: Resource) =>
    one.kind === 'process' ? `${one.id} with ${one.descriptors} descriptors` : one.id
  const there = new Set(to.resources.map(key))
  return from.resources.map(key).filter(id => !there.has(id))
}
