/*
 * Every size that a person types or reads has one unit system: powers of 1024. `K`, `KB` and `KiB` all mean 1024 bytes
 * in input, as in `ls -h` and `du -h`; output always uses the unambiguous IEC names.
 */

const UNITS = ['', 'K', 'M', 'G', 'T'] as const

/** Reads `500M`, `2G`, `1.5GiB` or `1048576` as bytes; undefined for text that is not a size. */
export function parseBytes(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text.trim()) ?? []
  if (number === undefined) return undefined
  const power = UNITS.indexOf(unit.toUpperCase() as (typeof UNITS)[number])
  return Math.round(Number(number) * 1024 ** power)
}

/** Bytes for people: `0 B`, `812 KiB`, `1.2 GiB`. */
export function formatBytes(bytes: number): string {
  let power = 0
  while (bytes >= 1024 ** (power + 1) && power < UNITS.length - 1) power++
  const value = bytes / 1024 ** power
  return power === 0 ? `${bytes} B` : `${value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}iB`
}
