import { CleanupError } from '../errors.ts'

const UNITS = ['', 'K', 'M', 'G', 'T'] as const

/** Reads `500M`, `2G`, `1.5GiB`, `1048576` as bytes; a K is 1024. Throws a CleanupError (`bad-argument`). */
export function parseBytes(text: string): number {
  const found = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text.trim())
  if (!found?.[1])
    throw new CleanupError(
      'bad-argument',
      `${JSON.stringify(text)} is not a size; expected a number with K, M, G or T, as in 500M or 2G.`,
    )
  const power = UNITS.indexOf((found[2] ?? '').toUpperCase() as (typeof UNITS)[number])
  return Math.round(Number(found[1]) * 1024 ** power)
}

/** Bytes for people: `0B`, `812K`, `1.2G`. */
export function formatBytes(bytes: number): string {
  let power = 0
  while (bytes >= 1024 ** (power + 1) && power < UNITS.length - 1) power++
  const value = bytes / 1024 ** power
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)}${UNITS[power] || 'B'}`
}
