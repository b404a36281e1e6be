import { expect, test } from 'vitest'
import { Limit } from '../limit.ts'

/** A machine whose clock moves in steps. Processes wait for a share of each step. */
function machine() {
  const time = { now: 0, waited: 0 }
  return {
    nowMs: () => time.now,
    waitedMs: () => time.waited,
    passes(ms: number, share: number) {
      time.now += ms
      time.waited += ms * share
    },
  }
}

/** How many ms a limit of 1 s takes. */
function lasts(share: number): number {
  const its = machine()
  const limit = new Limit(1_000, its)
  while (!limit.isOver) its.passes(100, share)
  return its.nowMs()
}

test('a limit takes its nominal time with a processor to spare, and at most ten times as long without', () => {
  expect(lasts(0)).toBe(1_000)
  expect(lasts(0.5)).toBeGreaterThan(1_500)
  expect(lasts(1)).toBeLessThanOrEqual(10_100)
  expect(lasts(1)).toBeGreaterThan(9_000)
})

test('waiting for a processor before a limit begins does not extend it', () => {
  const its = machine()
  its.passes(1_000_000, 1)
  const limit = new Limit(1_000, its)
  its.passes(1_000, 0)
  expect(limit.isOver).toBe(true)
  expect(limit.elapsed).toBe('1.0 s')
})

test('the signal of a task aborts when its time is up', async () => {
  const its = machine()
  const limit = new Limit(20, its)
  its.passes(20, 0)
  const aborted = await limit.during(
    tooLate => new Promise(resolve => tooLate.addEventListener('abort', resolve)),
  )
  expect(aborted).toBeDefined()
})
