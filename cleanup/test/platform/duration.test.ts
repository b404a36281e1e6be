import { expect, test } from 'vitest'
import fc from '../../../test/fast-check.ts'
import { durationOption, durationText, parseDuration, waitText } from '../../platform/duration.ts'

test.each([
  ['500ms', 500],
  ['3s', 3_000],
  ['0s', 0],
  ['1.5m', 90_000],
  ['2h', 7_200_000],
  ['7d', 604_800_000],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['3', '', '-3s', '3 s', '3S', '3sec', '1m30s', '1e3s', 's', '3s\n', '9999999999ms'])(
  '%j is refused',
  text => {
    expect(parseDuration(text)).toBeUndefined()
  },
)

test('the text for an option is parsed back exactly', () => {
  fc.assert(
    fc.property(fc.nat({ max: 999_999_999 }), ms => {
      expect(parseDuration(durationOption(ms))).toBe(ms)
    }),
  )
  expect([0, 500, 3_000, 90_000, 120_000].map(durationOption)).toEqual(['0s', '500ms', '3s', '90s', '2m'])
})

test('the text for people is rounded', () => {
  expect([-5, 119_000, 3_700_000, 90_000_000, 400_000_000].map(durationText)).toEqual([
    ...['0 s', '119 s', '62 min', '25 h', '5 days'],
  ])
})

test('a wait that was asked for is not rounded up', () => {
  expect([0, 1, 500, 1_500, 2_000, 4_666.7, 12_300, 180_000].map(waitText)).toEqual([
    ...['0 s', '1 ms', '500 ms', '1.5 s', '2 s', '4.7 s', '12 s', '3 min'],
  ])
})
