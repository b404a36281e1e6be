import type { ResourceSlope, SoakResult } from './result.ts'
import type { SoakRound } from './round.ts'
import { type Series, seriesOf } from './series.ts'
import { type Slope, slopeOf } from './slope.ts'

/**
 * A leak is certain when the interval of its slope lies above `tolerated`, and excluded when all of it lies below `excluded`.
 * Anything in between is inconclusive. Memory that is allocated, freed and not yet given back grows too, which is no leak: by
 * 0.2 MB for each agent in our own system, over 160 agents.
 */
export const limits = {
  count: { tolerated: 0, excluded: 0.05 },
  bytes: { tolerated: 500_000, excluded: 1_000_000 },
} as const

/** With fewer points the distribution of Kendall's S is too coarse for an interval (Gilbert 1987). */
const fewestPoints = 10

/** A fifth of the rounds: compilers, caches and what is made once for all agents. */
const warmUpOf = (rounds: number): number => Math.ceil(rounds / 5)

/** The fewest rounds from which something can be said. */
const fewestRounds = 13

/**
 * Fits a slope for each resource, and judges it.
 * @param rounds the first is the baseline
 */
export function judgeSoak(plan: { seed: number; agents: number }, rounds: SoakRound[]): SoakResult {
  const warmUp = warmUpOf(rounds.length - 1)
  const slopes = seriesOf(rounds).map(series => judgeSeries(series, rounds, warmUp))
  const measured = agentsAfter(rounds, warmUp)
  return {
    seed: plan.seed,
    agentsPerRound: plan.agents,
    warmUp,
    rounds,
    slopes,
    verdict: together(slopes, rounds),
    oneIn: measured / 3,
  }
}

/** After how many agents the warm-up was over. */
export function settledFrom({ rounds, warmUp }: Pick<SoakResult, 'rounds' | 'warmUp'>): number {
  return rounds[warmUp]?.agents ?? 0
}

function together(slopes: ResourceSlope[], rounds: SoakRound[]): SoakResult['verdict'] {
  if (rounds.some(({ collateral }) => collateral.length > 0)) return 'collateral'
  const verdicts = new Set(slopes.map(({ verdict }) => verdict))
  if (verdicts.has('leak')) return 'leak'
  return verdicts.has('inconclusive') || !verdicts.has('pass') ? 'inconclusive' : 'pass'
}

/** The agents of the rounds between the first and the last point. */
function agentsAfter(rounds: readonly SoakRound[], warmUp: number): number {
  return (rounds.at(-1)?.agents ?? 0) - (rounds[warmUp + 1]?.agents ?? 0)
}

function judgeSeries(series: Series, rounds: readonly SoakRound[], warmUp: number): ResourceSlope {
  const { resource, unit, values, isKept } = series
  const points = values.map((value, at) => ({ agents: rounds[at]?.agents ?? 0, value })).slice(warmUp + 1)
  const shown = {
    resource,
    unit,
    baseline: values[0] ?? 0,
    warm: points[0]?.value ?? values.at(-1) ?? 0,
    last: values.at(-1) ?? 0,
  }
  const slope = slopeOf(points)
  if (isKept) return { ...shown, ...slope, verdict: 'kept' }
  if (!slope || points.length < fewestPoints) {
    const forInterval = Math.max(1, fewestRounds - (rounds.length - 1))
    const moreRounds = Math.max(forInterval, unseenRounds(unit, rounds, warmUp))
    return { ...shown, ...slope, verdict: 'inconclusive', moreRounds }
  }
  if (slope.lower > limits[unit].tolerated) return { ...shown, ...slope, verdict: 'leak' }
  const moreRounds = roundsMissing(slope, unit, rounds, warmUp)
  if (moreRounds === 0) return { ...shown, ...slope, verdict: 'pass' }
  return { ...shown, ...slope, verdict: 'inconclusive', moreRounds }
}

/** How many rounds more would exclude a leak; 0 where it is excluded. */
function roundsMissing(
  slope: Slope,
  unit: Series['unit'],
  rounds: readonly SoakRound[],
  warmUp: number,
): number {
  const count = rounds.length - 1
  const { tolerated, excluded } = limits[unit]
  const unseen = unseenRounds(unit, rounds, warmUp)
  if (slope.upper <= excluded) return unseen
  // The width falls with the number of rounds to the power of 3/2.
  const narrower = (width: number, wanted: number) =>
    wanted > 0 ? Math.ceil(count * ((width / wanted) ** (2 / 3) - 1)) : Infinity
  const toExclude = narrower(slope.upper - slope.perAgent, excluded - slope.perAgent)
  const toShow = narrower(slope.perAgent - slope.lower, slope.perAgent - tolerated)
  return Math.max(1, unseen, Math.min(toExclude, toShow, 10 * count))
}

/**
 * How many rounds more there must be for a rare leak to show. The rule of three: what has not happened in n agents happens to
 * at most 3 in n, in 95 of 100 cases (Hanley and Lippman-Hand 1983).
 */
function unseenRounds(unit: Series['unit'], rounds: readonly SoakRound[], warmUp: number): number {
  const perRound = (rounds.at(-1)?.agents ?? 0) / Math.max(1, rounds.length - 1)
  if (unit !== 'count' || perRound === 0) return 0
  const agents = 3 / limits.count.excluded - agentsAfter(rounds, warmUp)
  // A fifth of the rounds warms up.
  return Math.max(0, Math.ceil((agents / perRound) * 1.25))
}
