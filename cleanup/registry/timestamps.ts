/** The range of moments that a registry's timestamp can mean, in ms since 1970. NaN when it is not a timestamp. */
export interface TimeRange {
  earliest: number
  latest: number
}

/**
 * Parses a timestamp of another program: seconds or ms since 1970, or a text. A text without a time zone may be local time or
 * UTC (Python's now() and utcnow()), so the range can span hours.
 */
export function parseTimestamp(value: unknown): TimeRange {
  if (typeof value === 'number') {
    const ms = value < MOST_SECONDS ? value * 1_000 : value
    return { earliest: ms, latest: ms }
  }
  const text = typeof value === 'string' ? value : ''
  const local = Date.parse(text)
  const utc = ZONELESS.test(text) ? Date.parse(`${text}Z`) : local
  return { earliest: Math.min(local, utc), latest: Math.max(local, utc) }
}

/**
 * True when what began at `startedAt`, a time as a registry has it, may be younger than `minAgeMs`. Where that names no
 * time, or one that is yet to come, it is as old as the oldest of the moments `writtenAt` (ms since 1970), at which it was
 * there already; without any, it counts as young.
 */
export function isYoung(startedAt: unknown, minAgeMs: number, writtenAt: readonly number[] = []): boolean {
  const sinceMs = Date.now() - parseTimestamp(startedAt).latest
  if (sinceMs >= 0) return sinceMs < minAgeMs
  return !writtenAt.some(ms => Date.now() - ms >= minAgeMs)
}

/** As seconds this is the year 5138, as ms March 1973: larger numbers are ms. */
const MOST_SECONDS = 1e11
/** A date and a time of day without a time zone. */
const ZONELESS = /^\d{4}-\d\d-\d\d[T ][\d:.,]+$/
