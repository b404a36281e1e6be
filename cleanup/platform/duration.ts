const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }
type Unit = keyof typeof UNITS_MS

/** The form that every option takes for a duration, as a sentence for a person who wrote something else. */
export const DURATION_FORM = 'expected a duration with its unit (ms, s, m, h or d), such as 500ms, 3s or 2m.'

/** A duration in ms from a number and a unit (`500ms`, `3s`, `1.5h`); undefined for any other text, a plain number included. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? []
  return unit === undefined ? undefined : Math.round(Number(number) * UNITS_MS[unit as Unit])
}

/** The text from which `parseDuration` reads exactly this duration (whole ms), in the largest unit that fits. */
export function durationOption(ms: number): string {
  const units = Object.entries(UNITS_MS)
  const [unit, unitMs] = units.find(([, size]) => ms >= size && ms % size === 0) ?? ['s', 1_000]
  return `${ms / unitMs}${unit}`
}

/** A wait for people: exact below two seconds, and to a tenth of a second below ten. */
export function waitText(ms: number): string {
  if (ms > 0 && ms < 1_000) return `${Math.max(1, Math.round(ms))} ms`
  return ms < 10_000 ? `${Math.round(ms / 100) / 10} s` : durationText(ms)
}

/** A duration for people, rounded to two or three digits: `90 s`, `62 min`, `3 h`, `5 days`. */
export function durationText(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1_000))
  if (s < 120) return `${s} s`
  if (s < 7_200) return `${Math.round(s / 60)} min`
  return s < 172_800 ? `${Math.round(s / 3_600)} h` : `${Math.round(s / 86_400)} days`
}
