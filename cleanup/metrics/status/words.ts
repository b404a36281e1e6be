const UNITS = ['B', 'K', 'M', 'G', 'T'] as const

/** Bytes for people, a K is 1024: `0B`, `812K`, `1.2G`. A dash for what is not known. */
export function size(bytes: number | undefined): string {
  if (bytes === undefined) return '-'
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1)
  const value = bytes / 1024 ** power
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)}${UNITS[power]}`
}

/** An age for people: `4s`, `12m`, `3h 5m`, `6d 2h`. A dash for what is not known; `in the future` under a clock that was moved. */
export function age(ms: number | undefined): string {
  if (ms === undefined || Number.isNaN(ms)) return '-'
  if (ms < -1_000) return 'in the future'
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [minutes, hours, days] = [60, 3600, 86_400].map(unit => Math.floor(seconds / unit)) as [
    number,
    number,
    number,
  ]
  if (days > 0) return `${days}d ${hours % 24}h`
  if (hours > 0) return `${hours}h ${minutes % 60}m`
  return minutes > 0 ? `${minutes}m` : `${seconds}s`
}

/** A text as a terminal can show it in one line: what it would obey, or what would break the line, is written out. */
export const printable = (text: string): string =>
  text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, character => `\\u{${character.codePointAt(0)?.toString(16)}}`)

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`
