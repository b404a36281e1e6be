import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { expect, test } from 'vitest'
import { slopeOf } from '../../soak/slope.ts'

const each5 = (values: readonly number[]) => values.map((value, at) => ({ agents: 5 * (at + 1), value }))

test('a count that never changes has a slope of exactly 0', () => {
  expect(slopeOf(each5(Array(12).fill(7)))).toEqual({ perAgent: 0, lower: 0, upper: 0 })
})

test('slope and interval are those of scipy.stats.theilslopes, to the next rank outwards', () => {
  // 0.0733, 0.0 to 0.16
  const noise = slopeOf(each5([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]))
  expect(noise?.perAgent).toBeCloseTo(0.07333, 5)
  expect(noise?.lower).toBeCloseTo(-0.02857, 5)
  expect(noise?.upper).toBeCloseTo(0.16667, 5)
  // 0.0481, 0.04 to 0.05: one in twenty agents
  const stairs = slopeOf(each5(Array.from({ length: 16 }, (_, at) => Math.floor(at / 4))))
  expect(stairs?.perAgent).toBeCloseTo(0.04808, 5)
  expect(stairs?.lower).toBeCloseTo(0.03333, 5)
  expect(stairs?.upper).toBeCloseTo(0.05714, 5)
})

test('something that is made once is no slope, and neither is a single round', () => {
  expect(slopeOf(each5([0, 0, 0, ...Array(13).fill(1)]))).toMatchObject({ perAgent: 0, lower: 0 })
  expect(slopeOf(each5([...Array(15).fill(4), 400]))).toEqual({ perAgent: 0, lower: 0, upper: 0 })
})

const random = xoroshiro128plus(1)
const uniform = () => uniformFloat64(random)
const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())

/** The share of 400 series in which a slope above 0 is seen. */
function seen(length: number, series: () => () => number): number {
  const runs = Array.from({ length: 400 }, () => {
    const next = series()
    return slopeOf(each5(Array.from({ length }, next)))
  })
  return runs.filter(slope => slope && slope.lower > 0).length / runs.length
}

/** Noise in which each value keeps a part of the one before. */
const noise = (kept: number) => () => {
  let value = 0
  return () => {
    value = kept * value + normal()
    return value
  }
}

test('flat noise is taken for growth in at most 2.5 of 100 series, and in few more where rounds resemble each other', () => {
  for (const length of [10, 16, 48]) expect(seen(length, noise(0))).toBeLessThan(0.04)
  for (const length of [16, 48]) expect(seen(length, noise(0.3))).toBeLessThan(0.08)
  for (const length of [16, 48]) expect(seen(length, noise(0.6))).toBeLessThan(0.13)
})

test('a leak of one agent in ten, drawn at random, shows in most series of 16 rounds', () => {
  const leak = () => {
    let left = 0
    return () => {
      for (let agent = 0; agent < 5; agent++) if (uniform() < 0.1) left += 1
      return left
    }
  }
  expect(seen(16, leak)).toBeGreaterThan(0.8)
})
