import { InvalidArgumentError } from 'commander'
import { DURATION_FORM, parseDuration } from '../platform/duration.ts'

/** The value of an option that is a name. */
export function notEmpty(text: string): string {
  if (text !== '') return text
  throw new InvalidArgumentError('expected a name; an empty one is refused, because a variable may be unset.')
}

/** The value of an option that is a duration, in ms. */
export function duration(text: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  throw new InvalidArgumentError(DURATION_FORM)
}

/** A timer takes at most 2^31 - 1 ms, 24.8 days; a longer one would fire at once. */
const LONGEST_GRACE_MS = 24 * 86_400_000

/** The same for the time that processes get between TERM and KILL, which a timer measures. */
export function grace(text: string): number {
  const ms = duration(text)
  if (ms <= LONGEST_GRACE_MS) return ms
  throw new InvalidArgumentError('expected at most 24d.')
}
