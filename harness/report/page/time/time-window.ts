import type { Timeline } from '../../../timeline/timeline.ts'

/** A part of a scenario's time, ms since it began. */
export interface TimeWindow {
  from: number
  to: number
}

/** The part that is shown, and how it changes. */
export interface TimeControl extends TimeWindow {
  isWhole: boolean
  show(from: number, to: number): void
  /** A factor below 1 shows less. */
  zoom(factor: number): void
  /** By a part of what is shown. */
  move(part: number): void
  reset(): void
}

/** Less than this is not shown, ms: no two snapshots are nearer. */
const shortest = 20

/** Of the same length where that is possible, and not before the beginning or after the end of the whole. */
export function within(start: number, stop: number, whole: TimeWindow): TimeWindow {
  const length = Math.min(Math.max(stop - start, shortest), whole.to - whole.from)
  const from = Math.min(Math.max(start, whole.from), whole.to - length)
  return { from, to: from + length }
}

/** For an element around everything that is placed by `placeAt`: so a change of the window moves all of it by style alone. */
export const windowStyle = ({ from, to }: TimeWindow) => ({
  '--from': String(from),
  '--span': String(to - from),
})

/** Where something is on the axis, for the style of its element. */
export const placeAt = (at: number, length = 0) => ({ '--at': String(at), '--length': String(length) })

/** The part of a scenario's time that is worth seeing: the system's start comes before the first snapshot, and nothing is known of it. */
export function wholeOf({ samples, endedAt }: Pick<Timeline, 'samples' | 'endedAt'>): TimeWindow {
  const first = samples[0]?.at ?? 0
  return { from: Math.max(0, Math.round(first - (endedAt - first) / 40)), to: Math.max(endedAt, first + 1) }
}

/** Round times for an axis, about so many. */
export function ticks({ from, to }: TimeWindow, about: number): number[] {
  const rough = (to - from) / about
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find(one => one * power >= rough) ?? 10) * power
  const first = Math.ceil(from / step)
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, at) => (first + at) * step)
}

/** "0.25 s": as many decimals as the step between ticks needs. */
export function timeText(ms: number, span: number): string {
  const decimals = span < 500 ? 2 : span < 20_000 ? 1 : 0
  return `${(ms / 1000).toFixed(decimals)} s`
}
