import { BYTE_ORDER_MARK, endOfString, isSpace } from './parse.ts'

/** A member of an object or an item of a list, by its positions in the text. */
export interface Part {
  /** The key of a member, and where its text ends; undefined for an item. */
  key: string | undefined
  keyEnd: number
  /** Where the part begins: with its key, or with its value. */
  start: number
  valueStart: number
  end: number
}

const [COMMA, QUOTE] = [0x2c, 0x22]
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d]

/** The parts of the object or list that begins at `start`, in the order of the text, which must be valid. */
export function partsAt(text: string, start: number): Part[] {
  const isObject = text.charCodeAt(start) === OPEN_OBJECT
  const parts: Part[] = []
  let at = spaceEnd(text, start + 1)
  while (!isClose(text.charCodeAt(at))) {
    const part = isObject ? memberAt(text, at) : itemAt(text, at)
    parts.push(part)
    at = spaceEnd(text, part.end)
    if (text.charCodeAt(at) === COMMA) at = spaceEnd(text, at + 1)
  }
  return parts
}

function memberAt(text: string, start: number): Part {
  const keyEnd = endOfString(text, start) + 1
  const quoted = text.slice(start, keyEnd)
  const key = quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1)
  const valueStart = spaceEnd(text, text.indexOf(':', keyEnd) + 1)
  return { key, keyEnd, start, valueStart, end: valueEnd(text, valueStart) }
}

function itemAt(text: string, start: number): Part {
  return { key: undefined, keyEnd: start, start, valueStart: start, end: valueEnd(text, start) }
}

/** Behind the last character of the value that begins at `start`. */
function valueEnd(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first === QUOTE) return endOfString(text, start) + 1
  if (!isOpen(first)) {
    let at = start
    while (at < text.length && !isDelimiter(text.charCodeAt(at))) at++
    return at
  }
  let depth = 1
  let at = start + 1
  for (; depth > 0 && at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (isOpen(code)) depth++
    else if (isClose(code)) depth--
  }
  return at
}

/** Where a text's outermost value begins. */
export const rootStart = (text: string): number =>
  spaceEnd(text, text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0)

export function spaceEnd(text: string, start: number): number {
  let at = start
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

const isDelimiter = (code: number): boolean => code === COMMA || isClose(code) || isSpace(code)
const isOpen = (code: number): boolean => code === OPEN_OBJECT || code === OPEN_LIST
const isClose = (code: number): boolean => code === CLOSE_OBJECT || code === CLOSE_LIST
