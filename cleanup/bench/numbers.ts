/** The median of some times. */
export const median = (times: readonly number[]): number => quantile(times, 0.5)

/** The 99th percentile; the longest time if there are fewer than a hundred. */
export const p99 = (times: readonly number[]): number => quantile(times, 0.99)

function quantile(times: readonly number[], part: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

export const ms = (time: number): string => `${time.toFixed(1)} ms`
