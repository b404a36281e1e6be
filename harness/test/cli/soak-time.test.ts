import { expect, test } from 'vitest'
import { requireTime } from '../../cli/soak-time.ts'

const minutes = (count: number) => ({ seed: 1, agents: 8, forMs: count * 60_000 })

test('a soak that a container would not outlive is refused', () => {
  expect(() => requireTime('container', minutes(26))).toThrow(
    'A container ends after about half an hour: take --for 25m at most, or --sandbox namespace.',
  )
  expect(() => requireTime('container', minutes(25))).not.toThrow()
  expect(() => requireTime('namespace', minutes(120))).not.toThrow()
  expect(() => requireTime('container', { ...minutes(120), rounds: 20 })).not.toThrow()
})
