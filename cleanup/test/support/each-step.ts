import { expect } from 'vitest'

/** More steps than any cleanup has. */
export const ENOUGH = 200
/** How many agents are tested at the same time. */
const LANES = 3

/** Which steps of a cleaner are tested: every `by`th. */
export const STEPS = [
  { which: 'some of its steps', by: 7, options: { timeout: 300_000, tags: [] } },
  { which: 'any of its steps', by: 1, options: { timeout: 300_000, tags: ['long'] } },
]

/** Step `first` and every `by`th after it, until there are no more. */
export interface Steps {
  first: number
  by: number
}

/** Runs each step, a few at a time, until one returns that there are no more. Returns the last that was run. */
export async function forEachStep(
  { first, by }: Steps,
  one: (step: number) => Promise<boolean>,
): Promise<number> {
  let next = first
  let end = ENOUGH
  let last = 0
  const lane = async () => {
    while (next < end) {
      const step = next
      next += by
      if (await one(step)) last = Math.max(last, step)
      else end = Math.min(end, step)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  expect(end).toBeLessThan(ENOUGH)
  return last
}
