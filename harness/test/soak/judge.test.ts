import { expect, test } from 'vitest'
import { soakText } from '../../report/soak-text.ts'
import { judgeSoak, roundsToPass, roundsToShow } from '../../soak/judge.ts'
import { type Held, rounds } from './rounds.ts'

const judged = (number: number, held?: (agents: number) => Held) =>
  judgeSoak({ seed: 1, agents: 5 }, rounds(number, held))

const of = (resource: string, result = judged(20)) => result.slopes.find(one => one.resource === resource)

test('twenty flat rounds pass, and say how rare a leak could be', () => {
  const result = judged(20)
  expect(result).toMatchObject({ verdict: 'pass', warmUp: 4, oneIn: expect.closeTo(65 / 3, 0) })
  expect(of('tmux sessions', result)).toEqual({
    resource: 'tmux sessions',
    unit: 'count',
    verdict: 'pass',
    baseline: 1,
    warm: 1,
    last: 1,
    perAgent: 0,
    lower: 0,
    // The rule of three: 65 agents between the ends.
    upper: expect.closeTo(3 / 65, 3),
  })
})

test('too few rounds never pass, and say how many more there must be', () => {
  expect(judged(0).verdict).toBe('inconclusive')
  expect(judged(1).verdict).toBe('inconclusive')
  expect(of('tmux sessions', judged(8))).toMatchObject({ verdict: 'inconclusive', moreRounds: 11 })
  // Enough for an interval, and too few agents to exclude one leak in twenty.
  expect(of('tmux sessions', judged(13))).toMatchObject({ verdict: 'inconclusive', moreRounds: 6 })
  expect(judged(18).verdict).toBe('inconclusive')
  expect(judged(19).verdict).toBe('pass')
})

test('how many rounds it takes to pass is what a soak without any growth takes', () => {
  for (const agents of [1, 2, 3, 5, 8, 20, 50]) {
    const flat = (number: number) => {
      const all = rounds(number).map((round, at) => ({ ...round, agents: at * agents }))
      return judgeSoak({ seed: 1, agents }, all).verdict
    }
    const needed = roundsToPass(agents)
    expect([needed, flat(needed - 1), flat(needed)]).toEqual([needed, 'inconclusive', 'pass'])
  }
})

test('a file for every fifth agent, and a session for every twentieth, are leaks', () => {
  const result = judged(20, agents => ({ prompts: agents / 5, sessions: 1 + Math.floor(agents / 20) }))
  expect(result.verdict).toBe('leak')
  expect(of('files: prompt', result)).toMatchObject({
    verdict: 'leak',
    perAgent: 0.2,
    lower: 0.2,
    upper: expect.closeTo(0.318, 3),
  })
  expect(of('tmux sessions', result)).toMatchObject({ verdict: 'leak', warm: 2, last: 6 })
})

test('a leak is one also where there are too few rounds to exclude others, from 13 rounds', () => {
  const verdict = (number: number) => judged(number, agents => ({ prompts: agents })).verdict
  expect([roundsToShow, verdict(12), verdict(13)]).toEqual([13, 'inconclusive', 'leak'])
})

test('a single leftover is no slope: with enough agents for it to be rarer than one in twenty it is named, and the soak passes', () => {
  const once = (agents: number) => ({ sessions: agents < 60 ? 1 : 2, left: agents < 60 ? 0 : 1 })
  expect(of('tmux sessions', judged(20, once))).toMatchObject({ verdict: 'inconclusive', moreRounds: 8 })
  const result = judged(28, once)
  expect(result.verdict).toBe('pass')
  expect(soakText(result)).toContain('left at the end, whether or not it is a slope: 1\n')
})

test('a count that grew in three rounds and never fell is a leak; one that fell again is none', () => {
  const steps = (at: number[]) => (agents: number) => ({
    sessions: 1 + at.filter(one => agents >= one).length,
  })
  expect(of('tmux sessions', judged(20, steps([85, 90, 95])))).toMatchObject({
    verdict: 'leak',
    perAgent: 3 / 65,
  })
  expect(of('tmux sessions', judged(20, steps([85, 90])))).toMatchObject({ verdict: 'inconclusive' })
  const flickers = (agents: number) => ({ sessions: agents % 25 === 0 ? 2 : 1 })
  expect(judged(20, flickers).verdict).toBe('pass')
})

test('what a policy keeps grows, and is shown and not judged', () => {
  const result = judged(20, agents => ({ archived: 3 * agents }))
  expect(result.verdict).toBe('pass')
  expect(of('kept: archive', result)).toMatchObject({ verdict: 'kept', perAgent: 3, last: 300 })
})

test('memory may grow as tables and caches do, and no more', () => {
  const growing = (bytes: number) => (agents: number) => ({ systemMemory: 1e8 + bytes * agents })
  expect(judged(20, growing(20_000)).verdict).toBe('pass')
  expect(of('memory of the system', judged(20, growing(1e6)))).toMatchObject({
    verdict: 'leak',
    perAgent: 1e6,
  })
})

test('an interval that is too wide to exclude a leak is inconclusive', () => {
  const wild = (agents: number) => ({ systemMemory: 1e8 + (agents % 15) * 1e7 })
  expect(of('memory of the system', judged(20, wild))).toMatchObject({
    verdict: 'inconclusive',
    moreRounds: expect.any(Number),
  })
})

test('something of the baseline that is gone is collateral, whatever leaks', () => {
  expect(judged(20, agents => ({ prompts: agents, collateral: ['tmux session my-work'] })).verdict).toBe(
    'collateral',
  )
})

test('memory is left out where the system has no process that stays', () => {
  expect(
    of(
      'memory of the system',
      judged(20, () => ({ systemMemory: 0 })),
    ),
  ).toBeUndefined()
})
