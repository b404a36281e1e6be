import { messageOf } from '../../errors.ts'
import { readWithin } from './regular-file.ts'

export type Json = Record<string, unknown>

/** True for a plain JSON object. */
export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value if it is a string, otherwise the empty one. String() would call methods of an object that another program wrote. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The deepest nesting of objects and lists. A registry needs six levels; JSON.stringify overflows the stack at some thousands. */
const MOST_LEVELS = 100

/** The largest size of a file with few fields, in bytes: a health file, a hold, a record of claude's. */
export const SMALL_BYTES = 1 << 20

/**
 * Parses JSON that another program wrote. Throws an Error whose message, unlike the engine's, never quotes the text: the
 * file may be a private one that somebody put in the place of another.
 */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) throw new Error(`it is nested more than ${MOST_LEVELS} levels deep`)
  try {
    return JSON.parse(text)
  } catch (error) {
    const [location = ''] = / at position \d+ \(line \d+ column \d+\)$/.exec(messageOf(error)) ?? []
    throw new Error(`it is not whole JSON (${text.length} characters${location && `, wrong${location}`})`)
  }
}

/** The object in a file of a workspace, of at most SMALL_BYTES; undefined when the file does not exist. Throws for anything else. */
export function readSmallJson(root: string, file: string): Json | undefined {
  const text = readWithin(root, file, SMALL_BYTES)
  if (text === undefined) return undefined
  const found = parseJson(text)
  if (!isJson(found)) throw new Error('it is JSON, but not an object')
  return found
}

/** Counts brackets outside strings. The answer for invalid JSON does not matter, because that is refused in any case. */
function isTooDeep(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (++depth > MOST_LEVELS) return true
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) depth--
  }
  return false
}

const QUOTE = 0x22
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d]

/** The position of a string's closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0
    while (text[at - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return at
  }
  return text.length
}
