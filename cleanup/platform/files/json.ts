import { messageOf } from '../../errors.ts'
import { readWithin } from './regular-file.ts'

export type Json = Record<string, unknown>

/** True for a plain JSON object. */
export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A text that somebody else wrote, or nothing: String() of an object would call what stands in it. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** How deep objects and lists may be nested. A registry needs six levels; JSON.stringify runs out of stack at some thousands. */
const DEEPEST = 100

/** How long a file of few fields may be, in bytes: a health file, a hold, a policy, a record of claude's. */
export const SMALL_BYTES = 1 << 20

/**
 * Parses JSON that somebody else wrote. Throws an Error whose message never quotes the text, as the engine's own does:
 * the file may be a private one that was put in the place of another.
 */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) throw new Error(`it is nested more than ${DEEPEST} levels deep`)
  try {
    return JSON.parse(text)
  } catch (error) {
    const [location = ''] = / at position \d+ \(line \d+ column \d+\)$/.exec(messageOf(error)) ?? []
    throw new Error(`it is not whole JSON (${text.length} characters${location && `, wrong${location}`})`)
  }
}

/** The object in a file of a workspace, at most SMALL_BYTES long; undefined when there is none. Throws what it is instead. */
export function readSmallJson(root: string, file: string): Json | undefined {
  const text = readWithin(root, file, SMALL_BYTES)
  if (text === undefined) return undefined
  const found = parseJson(text)
  if (!isJson(found)) throw new Error('it is JSON, but no object')
  return found
}

/** Counts brackets outside of strings; what is no JSON may be called too deep or not, and is refused in either case. */
function isTooDeep(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (++depth > DEEPEST) return true
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) depth--
  }
  return false
}

const QUOTE = 0x22
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d]

/** Where a string's closing quote is, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0
    while (text[at - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return at
  }
  return text.length
}
