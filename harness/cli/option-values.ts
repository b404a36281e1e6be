import { InvalidArgumentError, type Option } from 'commander'
import type { Shard } from '../report/report.ts'

// What options accept as their values.

/** Refuses an option that is given twice; commander would silently take the last one. */
export function once(option: Option): Option {
  const { parseArg } = option
  let isGiven = false
  return option.argParser((text: string, before: string) => {
    if (isGiven) throw new InvalidArgumentError('expected it only once.')
    isGiven = true
    return parseArg ? parseArg(text, before) : text
  })
}

/** All values of an option that may be given more than once. */
export const collected = (value: string, values: string[] = []): string[] => [...values, value]

/** One part of several: `2/5`. */
export function part(text: string): Shard {
  const [, index, count] = (/^([1-9]\d{0,2})\/([1-9]\d{0,2})$/.exec(text) ?? []).map(Number)
  if (index !== undefined && count !== undefined && index <= count) return { index, count }
  throw new InvalidArgumentError('expected a part of all of them, such as 2/5.')
}

/** A whole number from 1 to `most`. */
export function wholeNumberTo(most: number): (text: string) => number {
  return text => {
    if (/^[1-9]\d{0,9}$/.test(text) && Number(text) <= most) return Number(text)
    throw new InvalidArgumentError(`expected a whole number from 1 to ${most}.`)
  }
}

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000 }

/** A duration with its unit, in ms. */
export function duration(text: string): number {
  const [, number, unit] = /^([1-9]\d{0,4})(s|m|h)$/.exec(text) ?? []
  if (unit !== undefined) return Number(number) * unitsMs[unit as keyof typeof unitsMs]
  throw new InvalidArgumentError('expected a duration with its unit (s, m or h), such as 90s, 10m or 2h.')
}
