import os from 'node:os'
import { pid } from 'node:process'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ageMs, beganMs, ROUNDED_MS } from '../../platform/processes/details.ts'
import { startOf } from '../../platform/processes/table.ts'

const HOUR_MS = 3_600_000

const own = { start: startOf(pid) ?? 0 }
const [realNow, realMonotonic, realUptime] = [Date.now, performance.now.bind(performance), os.uptime]

afterEach(() => {
  vi.restoreAllMocks()
})

/** Expects the age of this process, by a clock that was moved on by so many ms. */
function expectAge(movedMs = 0): void {
  const rightAge = () => realUptime() * 1_000 - own.start * 10 + movedMs
  const [before, found, after] = [rightAge(), ageMs(own), rightAge()]
  expect(found).toBeGreaterThan(before - ROUNDED_MS)
  expect(found).toBeLessThan(after + ROUNDED_MS)
}

test('of a process that lived through a suspend, in the second after it', () => {
  expectAge()
  // The monotonic clock stands still meanwhile.
  vi.spyOn(Date, 'now').mockImplementation(() => realNow() + HOUR_MS)
  vi.spyOn(os, 'uptime').mockImplementation(() => realUptime() + HOUR_MS / 1_000)
  expectAge(HOUR_MS)
})

test.each([
  ['forward', HOUR_MS],
  ['back', -HOUR_MS],
])('while the wall clock is set %s, and after that', (_, ms) => {
  expectAge()
  vi.spyOn(Date, 'now').mockImplementation(() => realNow() + ms)
  expectAge()
  vi.restoreAllMocks()
  expectAge()
})

test('after a test that had moved both clocks on', () => {
  vi.spyOn(Date, 'now').mockImplementation(() => realNow() + HOUR_MS)
  vi.spyOn(performance, 'now').mockImplementation(() => realMonotonic() + HOUR_MS)
  expectAge()
  vi.restoreAllMocks()
  expectAge()
})

describe.each(['before', 'after'])('on a busy machine, where it waits %s the uptime is read,', when => {
  const waitMs = 60
  const wait = () => {
    for (const until = realMonotonic() + waitMs; realMonotonic() < until; );
  }
  beforeEach(() => {
    // A jump, so that the clocks are read again.
    vi.spyOn(Date, 'now').mockImplementationOnce(() => 0)
    vi.spyOn(os, 'uptime').mockImplementationOnce(() => {
      if (when === 'before') wait()
      const uptime = realUptime()
      if (when === 'after') wait()
      return uptime
    })
  })

  test('an age is right', () => {
    expectAge()
    expectAge()
  })

  test('a beginning is right', () => {
    const found = beganMs(own)
    const [before, uptime, after] = [realNow(), realUptime() * 1_000, realNow()]
    expect(found).toBeGreaterThan(before - uptime + own.start * 10 - ROUNDED_MS)
    expect(found).toBeLessThan(after - uptime + own.start * 10 + ROUNDED_MS)
  })
})
