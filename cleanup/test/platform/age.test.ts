import os from 'node:os'
import { pid } from 'node:process'
import { afterEach, expect, test, vi } from 'vitest'
import { ageMs } from '../../platform/processes/details.ts'
import { startOf } from '../../platform/processes/table.ts'

const HOUR_MS = 3_600_000
/** Start times and uptimes come in hundredths of a second. */
const TICKS_MS = 30

const own = { start: startOf(pid) ?? 0 }
const [realNow, realMonotonic, realUptime] = [Date.now, performance.now.bind(performance), os.uptime]

afterEach(() => {
  vi.restoreAllMocks()
})

/** Expects the age of this process, by a clock that was moved on by so many ms. */
function expectAge(movedMs = 0): void {
  const rightAge = () => realUptime() * 1_000 - own.start * 10 + movedMs
  const [before, found, after] = [rightAge(), ageMs(own), rightAge()]
  expect(found).toBeGreaterThan(before - TICKS_MS)
  expect(found).toBeLessThan(after + TICKS_MS)
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

test('when it was interrupted between two clocks, it is right the next time', () => {
  vi.spyOn(performance, 'now').mockImplementation(() => realMonotonic() + 2 * HOUR_MS)
  vi.spyOn(os, 'uptime').mockImplementationOnce(() => {
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + 500)
    vi.spyOn(performance, 'now').mockImplementation(() => realMonotonic() + 2 * HOUR_MS + 500)
    vi.spyOn(os, 'uptime').mockImplementation(() => realUptime() + 0.5)
    return realUptime() + 0.5
  })
  ageMs(own)
  expectAge(500)
})
