/** The middle of some times. */
export const median = (times: readonly number[]): number => quantile(times, 0.5)

/** The time that 99 of 100 do not exceed; of fewer than a hundred the longest. */
export const p99 = (times: readonly number[]): number => quantile(times, 0.99)

function quantile(times: readonly number[], part: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

export const ms = (time: number): string => `${time.toFixed(1)} ms`
