import { median } from 'simple-statistics'
import { fewestEvents, mostEvents } from './events.ts'
import type { ResourceSlope, SoakResult } from './result.ts'
import type { SoakRound } from './round.ts'
import { type Series, seriesOf } from './series.ts'
import { type Point, type Slope, slopeOf } from './slope.ts'

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

/** How many points are one value at each end of a series: a snapshot with a process that was still ending counts for nothing. */
const endPoints = 3

/** What grows in so many rounds and never falls is a leak: a cache is made once. */
const certainRises = 3

/** How many agents there are between the ends of a series, after the warm-up. */
const agentsBetweenEnds = (rounds: number, perRound: number): number =>
  Math.max(0, (rounds - warmUpOf(rounds) - endPoints) * perRound)

/** The fewest rounds with which a soak can show a leak: after its warm-up there are enough points. */
export const roundsToShow = Math.ceil((fewestPoints * 5) / 4)

/**
 * The fewest rounds with which a soak can pass.
 * @param events that much has grown, and grows no more
 */
export function roundsToPass(perRound: number, events = 0): number {
  const agents = mostEvents(events) / limits.count.excluded
  let rounds = roundsToShow
  while (agentsBetweenEnds(rounds, perRound) < agents) rounds += 1
  return rounds
}

/**
 * Fits a slope for each resource, and judges it.
 * @param rounds the first is the baseline
 */
export function judgeSoak(plan: { seed: number; agents: number }, rounds: SoakRound[]): SoakResult {
  const count = rounds.length - 1
  const warmUp = warmUpOf(count)
  const slopes = seriesOf(rounds).map(series => judgeSeries(series, rounds, plan.agents))
  return {
    seed: plan.seed,
    agentsPerRound: plan.agents,
    warmUp,
    rounds,
    slopes,
    verdict: together(slopes, rounds),
    oneIn: agentsBetweenEnds(count, plan.agents) / mostEvents(0),
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

function judgeSeries(series: Series, rounds: readonly SoakRound[], perRound: number): ResourceSlope {
  const { resource, unit, values, isKept } = series
  const count = rounds.length - 1
  const points = values
    .map((value, at) => ({ agents: rounds[at]?.agents ?? 0, value }))
    .slice(warmUpOf(count) + 1)
  const shown = {
    resource,
    unit,
    baseline: values[0] ?? 0,
    warm: points[0]?.value ?? values.at(-1) ?? 0,
    last: values.at(-1) ?? 0,
  }
  const fitted = slopeOf(points)
  if (isKept) return { ...shown, ...fitted, verdict: 'kept' }
  if (!fitted || count < roundsToShow)
    return { ...shown, ...fitted, verdict: 'inconclusive', moreRounds: roundsToPass(perRound) - count }
  const grown = grownBetweenEnds(points)
  const slope = unit === 'count' ? ofCount(fitted, points, agentsBetweenEnds(count, perRound)) : fitted
  if (slope.lower > limits[unit].tolerated) return { ...shown, ...slope, verdict: 'leak' }
  if (slope.upper <= limits[unit].excluded) return { ...shown, ...slope, verdict: 'pass' }
  const wanted = unit === 'count' ? roundsToPass(perRound, grown) : 0
  const moreRounds = Math.max(1, wanted - count, roundsMissing(fitted, unit, count))
  return { ...shown, ...slope, verdict: 'inconclusive', moreRounds }
}

/** By how much a series grew from its beginning to its end. */
function grownBetweenEnds(points: readonly Point[]): number {
  const values = points.map(({ value }) => value)
  return Math.max(0, median(values.slice(-endPoints)) - median(values.slice(0, endPoints)))
}

/**
 * The slope of a count. Rare leaks come at random, and few of them are nearly a flat line, so the interval is at least that of so
 * few events: what never happened may happen to 3 in n agents.
 */
function ofCount(fitted: Slope, points: readonly Point[], agents: number): Slope {
  const grown = grownBetweenEnds(points)
  const upper = Math.max(fitted.upper, mostEvents(grown) / agents)
  const rises = certain(points)
  if (rises < certainRises) return { ...fitted, upper }
  const lower = Math.max(fitted.lower, fewestEvents(rises) / agents)
  return { perAgent: Math.max(fitted.perAgent, grown / agents, lower), lower, upper }
}

/** How often a count rose, if it never fell. */
function certain(points: readonly Point[]): number {
  const steps = points.slice(1).map(({ value }, at) => value - (points[at]?.value ?? value))
  return steps.some(step => step < 0) ? 0 : steps.filter(step => step > 0).length
}

/** How many rounds more would show a leak or exclude one, if all goes on as it did; 0 where a slope excludes it. */
function roundsMissing(slope: Slope, unit: Series['unit'], count: number): number {
  const { tolerated, excluded } = limits[unit]
  if (slope.upper <= excluded) return 0
  // The width falls with the number of rounds to the power of 3/2.
  const narrower = (width: number, wanted: number) =>
    wanted > 0 ? Math.ceil(count * ((width / wanted) ** (2 / 3) - 1)) : Infinity
  const toExclude = narrower(slope.upper - slope.perAgent, excluded - slope.perAgent)
  const toShow = narrower(slope.perAgent - slope.lower, slope.perAgent - tolerated)
  return Math.max(1, Math.min(toExclude, toShow, 10 * count))
}
