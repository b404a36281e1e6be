import { expect, test } from 'vitest'
import { placeNumbers } from '../../../report/page/time/step-numbers.ts'
import { groupSteps } from '../../../report/page/time/steps.ts'
import { ticks, timeText, wholeOf, within } from '../../../report/page/time/time-window.ts'
import { timeline } from '../../support/sample-report.ts'

test('steps of a kind that happen at about the same time are one, with a number', () => {
  expect(
    groupSteps(timeline([], [], [])).map(({ number, what, count, agents }) => [number, what, count, agents]),
  ).toEqual([
    [1, 'start the system', 1, []],
    [2, 'deploy', 2, ['agent-1', 'agent-2']],
    [3, 'has reported completed', 1, ['agent-1']],
    [4, 'settle', 1, []],
  ])
})

test('what is shown keeps its length at both ends, and is neither too short nor longer than the whole', () => {
  const whole = { from: 0, to: 2_000 }
  expect(within(-500, 500, whole)).toEqual({ from: 0, to: 1_000 })
  expect(within(1_500, 2_500, whole)).toEqual({ from: 1_000, to: 2_000 })
  expect(within(-500, 9_000, whole)).toEqual({ from: 0, to: 2_000 })
  expect(within(700, 701, whole)).toEqual({ from: 700, to: 720 })
})

test('an axis has round times', () => {
  expect(ticks({ from: 0, to: 8_215 }, 6)).toEqual([0, 2_000, 4_000, 6_000, 8_000])
  expect(ticks({ from: 310, to: 690 }, 6)).toEqual([400, 500, 600])
  expect([timeText(8_215, 8_215), timeText(400, 380), timeText(42_000, 60_000)]).toEqual([
    '8.2 s',
    '0.40 s',
    '42 s',
  ])
})

test('the axis begins shortly before the first snapshot, and a later window stays behind it', () => {
  const whole = wholeOf(timeline([], [], [], 4_100))
  expect(whole).toEqual({ from: 0, to: 4_100 })
  const late = timeline([], [], [], 4_100)
  const samples = late.samples.map(one => ({ ...one, at: one.at + 2_000 }))
  expect(wholeOf({ samples, endedAt: 4_100 })).toEqual({ from: 2_050, to: 4_100 })
  expect(within(0, 500, { from: 2_050, to: 4_100 })).toEqual({ from: 2_050, to: 2_550 })
})

test('numbers of steps near each other are in rows; only where no row has room they are joined', () => {
  const at = (...times: number[]) =>
    times.map((time, index) => ({ number: index + 1, what: 'deploy', agents: [], count: 1, at: time }))
  const text = (times: number[], whole = { from: 0, to: 1_000 }) =>
    placeNumbers(at(...times), whole).map(({ label, at, row }) => `${label} at ${at} in ${row}`)
  expect(text([0, 500, 510, 580])).toEqual([
    ...['1 at 0 in 0', '2 at 500 in 0', '3 at 510 in 1', '4 at 580 in 0'],
  ])
  expect(text([1, 2, 3, 4, 5, 6])).toEqual(['1 at 1 in 0', '2 at 2 in 1', '3 at 3 in 2', '4–6 at 4 in 3'])
  expect(text([1, 2, 3, 4, 5, 6], { from: 3, to: 23 }).slice(0, 2)).toEqual(['3 at 3 in 0', '4 at 4 in 1'])
})
