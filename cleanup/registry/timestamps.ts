/** A moment as a registry tells it, in ms since 1970: somewhere between the two. NaN when it does not tell one. */
export interface TimeRange {
  earliest: number
  latest: number
}

/**
 * Other programs write times as seconds or ms since 1970, or as a text; and a text that does not name its zone is that of this
 * machine's clock or of UTC (Python's now() and utcnow()), which nothing tells apart: hours may lie between.
 */
export function parseTimestamp(told: unknown): TimeRange {
  if (typeof told === 'number') {
    const ms = told < MOST_SECONDS ? told * 1_000 : told
    return { earliest: ms, latest: ms }
  }
  const text = typeof told === 'string' ? told : ''
  const local = Date.parse(text)
  const utc = ZONELESS.test(text) ? Date.parse(`${text}Z`) : local
  return { earliest: Math.min(local, utc), latest: Math.max(local, utc) }
}

/** A number of seconds in the year 5138, or of ms in March 1973. */
const MOST_SECONDS = 1e11
/** A date and a time of day, and no more. */
const ZONELESS = /^\d{4}-\d\d-\d\d[T ][\d:.,]+$/
