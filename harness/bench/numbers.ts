/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
