import { CannotMeasureError } from '../errors.ts'
import { Limit } from '../limit.ts'
import { pauseAfter, poll } from '../poll.ts'
import type { Resource, Snapshot } from '../snapshot/snapshot.ts'

/**
 * The snapshot that at least three in a row, over `restMs`, agree on by identity.
 * @throws CannotMeasureError when they do not agree in time, naming what came and went.
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
  const look = async () => {
    const next = await take()
    const changed = last ? changes(last, next) : ['the first snapshot']
    if (changed.length > 0) changing = changed
    streak = changed.length === 0 ? streak + 1 : 1
    if (streak === 1) since = performance.now()
    last = next
    return streak >= 3 && performance.now() - since >= restMs ? next : undefined
  }
  // Three are enough: more of them in the same time show nothing that these do not.
  const stable = await poll(deadlineMs, look, () => pauseAfter(restMs / 3))
  if (stable) return stable
  throw new CannotMeasureError(
    `The baseline did not come to rest within ${limit.elapsed}; last seen to change: ${changing.join(', ')}.`,
  )
}

function changes(one: Snapshot, other: Snapshot): string[] {
  const problems = [...one.problems, ...other.problems]
  return [...missing(one, other), ...missing(other, one), ...problems]
}

/** A process that still opens files has not come to rest either. */
function missing(from: Snapshot, to: Snapshot): string[] {
  const key = (one: Resource) =>
    one.kind === 'process' ? `${one.id} with ${one.descriptors} descriptors` : one.id
  const there = new Set(to.resources.map(key))
  return from.resources.map(key).filter(id => !there.has(id))
}
