/** Strings, so that nothing in them is taken for a constant, and the constants that Python and others write. */
const STRING_OR_CONSTANT = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g

type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown

/** Of ECMAScript's "JSON.parse source text access", for which TypeScript has no types yet. */
const { parse, rawJSON } = JSON as unknown as {
  parse(text: string, reviver?: Reviver): unknown
  rawJSON(source: string): unknown
}

// biome-ignore lint/suspicious/noExplicitAny: JSON from outside, which the caller checks
type Json = any

/** Parses JSON as others write it: with a byte order mark, and with Python's `NaN` and `Infinity`, which become null. */
export function parseJson(text: string): Json {
  return parse(plain(text))
}

/** A text as the JSON that it is, or as it is. */
export function jsonOrText(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return text
  }
}

/**
 * `parseJson`, but whatever JavaScript would write in another way (`1.0`, a number of 19 digits, an escaped letter) is kept as
 * its source text: JSON.stringify then changes nothing but spaces.
 */
export function parseExactly(text: string): Json {
  return parse(plain(text), (_, value, { source }) =>
    source === undefined || JSON.stringify(value) === source ? value : rawJSON(source),
  )
}

/**
 * `parseJson`, but numbers keep every digit of their value, in one spelling: `1.0`, `10e-1` and `1` are one number, and two
 * that differ beyond JavaScript's precision are not. Strings are what they say, however they are escaped.
 */
export function parseValues(text: string): Json {
  return parse(plain(text), (_, value, { source }) =>
    typeof value === 'number' && source !== undefined ? rawJSON(inOneSpelling(source)) : value,
  )
}

/** As it would be written by hand, or with an exponent where that would take too many zeros. */
function inOneSpelling(source: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(source) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  const exponent = Number(power) - fraction.length + (digits.length - significant.length)
  if (Math.abs(exponent) > MOST_ZEROS) return `${sign}${significant}e${exponent}`
  if (exponent >= 0) return `${sign}${significant}${'0'.repeat(exponent)}`
  const padded = significant.padStart(1 - exponent, '0')
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`
}

const MOST_ZEROS = 40

function plain(text: string): string {
  return text
    .replace(/^\uFEFF/, '')
    .replaceAll(STRING_OR_CONSTANT, found => (found.startsWith('"') ? found : 'null'))
}
