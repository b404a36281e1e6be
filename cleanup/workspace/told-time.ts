/** A moment as a registry tells it, in ms since 1970: somewhere between the two. NaN when it does not tell one. */
export interface ToldTime {
  earliest: number
  latest: number
}

/**
 * Other programs write times as seconds since 1970, or as a text; and a text that does not name its zone is that of this
 * machine's clock or of UTC (Python's now() and utcnow()), which nothing tells apart: hours may lie between.
 */
export function toldTime(told: unknown): ToldTime {
  if (typeof told === 'number') return { earliest: told * 1_000, latest: told * 1_000 }
  const text = typeof told === 'string' ? told : ''
  const both = [Date.parse(text), hasZone(text) ? Date.parse(text) : Date.parse(`${text}Z`)]
  return { earliest: Math.min(...both), latest: Math.max(...both) }
}

/** A date alone is UTC by the standard (ECMA-262, Date.parse). */
const hasZone = (text: string): boolean => /(Z|[+-]\d\d:?\d\d|^\d+-\d+-\d+)$/i.test(text)
