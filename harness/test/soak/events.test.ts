import { expect, test } from 'vitest'
import { fewestEvents, mostEvents } from '../../soak/events.ts'

test('the ends of the interval are those of exact tables, to 1 %', () => {
  // Garwood 1936: the one-sided 95 % limits of an expectation.
  const most: [seen: number, expected: number][] = [
    [0, 2.996],
    [1, 4.744],
    [2, 6.296],
    [3, 7.754],
    [10, 16.962],
    [1_000, 1_053.6],
  ]
  for (const [seen, expected] of most) expect(mostEvents(seen) / expected).toBeCloseTo(1, 1.7)
  expect(fewestEvents(0)).toBe(0)
  for (const [seen, expected] of [
    [3, 0.818],
    [10, 5.425],
  ] as const)
    expect(fewestEvents(seen) / expected).toBeCloseTo(1, 1.7)
})
