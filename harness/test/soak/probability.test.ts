import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { expect, test } from 'vitest'
import { judgeSoak } from '../../soak/judge.ts'
import { type Held, rounds } from './rounds.ts'

/*
 * How often a soak of the default length has which verdict, in simulated soaks. docs/soak.md has these numbers. The seeds are
 * fixed, so that a test that is green stays so.
 */
const usual = { agents: 8, rounds: 20 }
const soaks = 200

const random = xoroshiro128plus(7)
const uniform = () => uniformFloat64(random)
const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())

/** How many of 100 soaks have each verdict. */
function verdicts(resource: string, soak: () => (round: number) => Held) {
  const found = { pass: 0, leak: 0, inconclusive: 0, kept: 0 }
  for (let run = 0; run < soaks; run++) {
    const held = soak()
    const all = rounds(usual.rounds, agents => held(agents / 5)).map((round, at) => ({
      ...round,
      agents: at * usual.agents,
    }))
    const { slopes } = judgeSoak({ seed: 1, agents: usual.agents }, all)
    found[slopes.find(one => one.resource === resource)?.verdict ?? 'pass'] += 100 / soaks
  }
  return found
}

/** Each agent leaves a file with this probability. */
const leaks = (probability: number) => () => {
  let prompts = 0
  return (round: number) => {
    for (let agent = 0; round > 0 && agent < usual.agents; agent++) if (uniform() < probability) prompts += 1
    return { prompts }
  }
}

test('nothing is left: every soak passes', () => {
  expect(verdicts('tmux sessions', leaks(0)).pass).toBe(100)
})

test('a leak of one agent in twenty is seen in nine of ten soaks, and passes in at most one of twenty', () => {
  const { leak, pass } = verdicts('files: prompt', leaks(1 / 20))
  expect(leak).toBeGreaterThanOrEqual(90)
  expect(pass).toBeLessThanOrEqual(5)
})

test('a leak of one agent in ten is seen in every soak of a hundred, but for one', () => {
  expect(verdicts('files: prompt', leaks(1 / 10)).leak).toBeGreaterThanOrEqual(99)
})

test('a count that is one too high now and then passes, and is never called a leak', () => {
  const flickers = () => () => ({ sessions: uniform() < 0.1 ? 2 : 1 })
  const { leak, pass } = verdicts('tmux sessions', flickers)
  expect(leak).toBe(0)
  expect(pass).toBeGreaterThanOrEqual(95)
})

/** Memory that grows by so much for each agent, with noise of which each round keeps a part. */
const memory = (perAgent: number, kept: number) => () => {
  let noise = 0
  return (round: number) => {
    noise = kept * noise + 5e6 * normal()
    return { systemMemory: 2e8 + perAgent * usual.agents * round + noise }
  }
}

test('memory that grows by 1 MB for each agent passes in at most one of ten soaks, and by 0.2 MB in nine of ten', () => {
  for (const kept of [0, 0.5]) {
    expect(verdicts('memory of the system', memory(1e6, kept)).pass).toBeLessThanOrEqual(10)
    const { pass, leak } = verdicts('memory of the system', memory(2e5, kept))
    expect(pass).toBeGreaterThanOrEqual(90)
    expect(leak).toBeLessThanOrEqual(1)
  }
})
