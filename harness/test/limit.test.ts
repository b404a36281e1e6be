import { expect, test } from 'vitest'
import { Limit } from '../limit.ts'

/** A machine whose time goes by in steps, of which processes wait a share. */
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

/** After how many ms a limit of 1 s is over. */
function lasts(share: number): number {
  const its = machine()
  const limit = new Limit(1_000, its)
  while (!limit.isOver) its.passes(100, share)
  return its.nowMs()
}

test('a limit is as long as it says where there is a processor to spare, and at most ten times as long', () => {
  expect(lasts(0)).toBe(1_000)
  expect(lasts(0.5)).toBeGreaterThan(1_500)
  expect(lasts(1)).toBeLessThanOrEqual(10_100)
  expect(lasts(1)).toBeGreaterThan(9_000)
})

test('what a machine waited before a limit does not make it longer', () => {
  const its = machine()
  its.passes(1_000_000, 1)
  const limit = new Limit(1_000, its)
  its.passes(1_000, 0)
  expect(limit.isOver).toBe(true)
  expect(limit.elapsed).toBe('1.0 s')
})

test('a task whose time is up is told so', async () => {
  const its = machine()
  const limit = new Limit(20, its)
  its.passes(20, 0)
  const aborted = await limit.during(
    tooLate => new Promise(resolve => tooLate.addEventListener('abort', resolve)),
  )
  expect(aborted).toBeDefined()
})
