import { expect, test } from 'vitest'
import { groupSteps } from '../../../report/page/time/steps.ts'
import { ticks, timeText, within } from '../../../report/page/time/time-window.ts'
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
  expect(within(-500, 500, 2_000)).toEqual({ from: 0, to: 1_000 })
  expect(within(1_500, 2_500, 2_000)).toEqual({ from: 1_000, to: 2_000 })
  expect(within(-500, 9_000, 2_000)).toEqual({ from: 0, to: 2_000 })
  expect(within(700, 701, 2_000)).toEqual({ from: 700, to: 720 })
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
