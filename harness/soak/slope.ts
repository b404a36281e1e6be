import { mean, median, probit } from 'simple-statistics'

/** A count or an amount after a number of agents. */
export interface Point {
  agents: number
  value: number
}

/** By how much something grows with each agent. */
export interface Slope {
  /** Theil and Sen: the median of the slopes between every two points. */
  perAgent: number
  /** The interval that has the true slope in 95 of 100 soaks. */
  lower: number
  upper: number
}

const confidence = 0.95

/**
 * Fits a slope that single rounds cannot bend: a process that one snapshot still showed, or a heap before its collection.
 * Least squares would take one such round for growth. The interval is Sen's, by Kendall's S with its variance for equal
 * values (Sen 1968; Gilbert 1987, 16.5). Counts after rounds in a row resemble each other, which would make it too narrow, so
 * the variance is that of as many independent points as there are in effect (Hamed and Rao 1998).
 * @param points by their agents, no two with the same number
 * @returns undefined for fewer than two points
 */
export function slopeOf(points: readonly Point[]): Slope | undefined {
  const slopes = pairs(points)
    .map(([one, other]) => (other.value - one.value) / (other.agents - one.agents))
    .sort((one, other) => one - other)
  if (slopes.length === 0) return undefined
  const perAgent = median(slopes)
  const halfWidth = probit(1 - (1 - confidence) / 2) * Math.sqrt(varianceOfS(points, perAgent))
  const at = (rank: number) => slopes[Math.min(Math.max(rank, 0), slopes.length - 1)] ?? perAgent
  // The ranks need not be whole: the next ones outwards.
  const lower = at(Math.floor((slopes.length - halfWidth) / 2) - 1)
  const upper = at(Math.ceil((slopes.length + halfWidth) / 2))
  return { perAgent, lower, upper }
}

function varianceOfS(points: readonly Point[], perAgent: number): number {
  const n = points.length
  const term = (size: number) => size * (size - 1) * (2 * size + 5)
  const equal = [...Map.groupBy(points, ({ value }) => value).values()]
  const ties = equal.reduce((sum, group) => sum + term(group.length), 0)
  const residuals = points.map(({ agents, value }) => value - perAgent * agents)
  return ((term(n) - ties) / 18) * dependence(ranks(residuals))
}

/**
 * How much larger the variance is because neighbours resemble each other: 1 where they do not. Only correlations that are
 * larger than chance count, over at most a quarter of the points.
 */
function dependence(values: readonly number[]): number {
  const n = values.length
  let sum = 0
  for (let lag = 1; lag <= n / 4; lag++) {
    const correlation = autocorrelation(values, lag)
    if (correlation < probit(1 - (1 - confidence) / 2) / Math.sqrt(n)) continue
    sum += (n - lag) * (n - lag - 1) * (n - lag - 2) * correlation
  }
  return 1 + (2 / (n * (n - 1) * (n - 2))) * sum
}

function autocorrelation(values: readonly number[], lag: number): number {
  const middle = mean([...values])
  const apart = values.map(value => value - middle)
  const variance = apart.reduce((sum, value) => sum + value ** 2, 0)
  if (variance === 0) return 0
  return apart.slice(lag).reduce((sum, value, at) => sum + value * (apart[at] ?? 0), 0) / variance
}

/** The place of each value among all; equal ones share theirs. */
function ranks(values: readonly number[]): number[] {
  const below = (limit: number) => values.filter(value => value < limit).length
  const upTo = (limit: number) => values.filter(value => value <= limit).length
  return values.map(value => (below(value) + upTo(value) + 1) / 2)
}

function pairs(points: readonly Point[]): [Point, Point][] {
  return points.flatMap((one, at) => points.slice(at + 1).map((other): [Point, Point] => [one, other]))
}
