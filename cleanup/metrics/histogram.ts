import type { Sample } from './exposition.ts'

/** A Prometheus histogram: each bucket counts the values up to its bound. */
export class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0
  #count = 0

  /** `bounds` are ascending, without infinity. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    this.#sum += value
    this.#count += 1
    for (const [n, bound] of this.#bounds.entries())
      if (value <= bound) this.#counts[n] = (this.#counts[n] ?? 0) + 1
  }

  samples(): Sample[] {
    const buckets = this.#bounds.map((bound, n) => bucket(String(bound), this.#counts[n] ?? 0))
    return [
      ...buckets,
      bucket('+Inf', this.#count),
      { suffix: '_sum', value: this.#sum },
      { suffix: '_count', value: this.#count },
    ]
  }
}

const bucket = (le: string, value: number): Sample => ({ suffix: '_bucket', labels: { le }, value })
