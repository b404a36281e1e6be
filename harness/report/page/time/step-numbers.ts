import type { StepGroup } from './steps.ts'
import type { TimeWindow } from './time-window.ts'

/** The number of a step, or of several, where it is on the axis, and in which row. */
export interface StepNumber {
  label: string
  at: number
  row: number
}

/** Nearer than this part of the axis, numbers of a row would cover each other. */
const apart = 0.06
const mostRows = 4

/** Each number below its moment, in the first row that has room. Where none has, it joins the number before it: "5–6". */
export function placeNumbers(steps: readonly StepGroup[], { from, to }: TimeWindow): StepNumber[] {
  const placed: { first: number; last: number; at: number; row: number }[] = []
  const ends: number[] = []
  for (const { number, at } of steps) {
    if (at < from || at > to) continue
    const row = Array.from({ length: mostRows }, (_, one) => one).find(
      one => at - (ends[one] ?? Number.NEGATIVE_INFINITY) >= (to - from) * apart,
    )
    const before = placed.at(-1)
    if (row === undefined && before) {
      before.last = number
      continue
    }
    placed.push({ first: number, last: number, at, row: row ?? 0 })
    ends[row ?? 0] = at
  }
  return placed.map(({ first, last, at, row }) => ({
    label: first === last ? String(first) : `${first}–${last}`,
    at,
    row,
  }))
}
