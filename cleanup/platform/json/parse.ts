import { isUtf8 } from 'node:buffer'
import { encodingMistake, MOST_LEVELS, mistake } from './mistakes.ts'
import { noteSpelling, setOwn } from './spelling.ts'

/**
 * Parses JSON that another program wrote, as JSON.parse does (the last of several equal keys counts). It also reads what
 * Python's json.dump and editors on Windows write: NaN, Infinity, -Infinity, and a byte order mark. Throws an Error whose
 * message, unlike the engine's, never quotes the text: the file may be a private one that somebody put in the place of
 * another.
 */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) throw new Error(`it is nested more than ${MOST_LEVELS} levels deep`)
  try {
    return JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text)
  } catch {
    return parseSpelled(text)
  }
}

/** `parseJson`, slower, with the digits of numbers that JSON.stringify would print otherwise (`spelling`). */
export function parseSpelled(text: string): unknown {
  return new Reader(text).document()
}

/**
 * The text in a file. Throws an Error for bytes that are not UTF-8: decoded leniently they would become other characters,
 * and a writer would put those on the disk.
 */
export function decodeUtf8(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (!isUtf8(bytes)) throw new Error(encodingMistake(bytes, text))
  return text
}

export const BYTE_ORDER_MARK = 0xfeff
const [TAB, LINE_FEED, RETURN, SPACE] = [0x09, 0x0a, 0x0d, 0x20]
const [QUOTE, COMMA, COLON, BACKSLASH] = [0x22, 0x2c, 0x3a, 0x5c]
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d]

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

/** The position of a string's closing quote, or the end of the text. */
export function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return at
  }
  return text.length
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null|NaN|-?Infinity/y
const WORDS = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

/** Reads what JSON.parse does not, and finds out why a text is no JSON. */
class Reader {
  readonly #text: string
  #at: number

  constructor(text: string) {
    this.#text = text
    this.#at = text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0
  }

  document(): unknown {
    this.#skipSpace()
    const holder = {}
    this.#valueInto(holder, 'root')
    this.#skipSpace()
    if (this.#at < this.#text.length) this.#fail('the end of the file')
    return (holder as { root: unknown }).root
  }

  #valueInto(container: object, key: string): void {
    const code = this.#code()
    if (code === QUOTE) setOwn(container, key, this.#string())
    else if (code === OPEN_OBJECT) setOwn(container, key, this.#object())
    else if (code === OPEN_LIST) setOwn(container, key, this.#list())
    else this.#numberOrWordInto(container, key)
  }

  #object(): object {
    const object = {}
    for (let isFirst = true; !this.#passEnd(CLOSE_OBJECT, isFirst); isFirst = false) {
      if (this.#code() !== QUOTE) this.#fail('a key in double quotes')
      const key = this.#string()
      this.#skipSpace()
      if (this.#code() !== COLON) this.#fail('a colon')
      this.#at++
      this.#skipSpace()
      this.#valueInto(object, key)
    }
    return object
  }

  #list(): unknown[] {
    const list: unknown[] = []
    for (let isFirst = true; !this.#passEnd(CLOSE_LIST, isFirst); isFirst = false)
      this.#valueInto(list, String(list.length))
    return list
  }

  /** Passes the end of an object or list and returns true, or passes what stands before its next part. */
  #passEnd(close: number, isFirst: boolean): boolean {
    if (isFirst) this.#at++
    this.#skipSpace()
    const isEnd = this.#code() === close
    if (isEnd) this.#at++
    else if (!isFirst) {
      if (this.#code() !== COMMA) this.#fail(`a comma or "${String.fromCharCode(close)}"`)
      this.#at++
      this.#skipSpace()
    }
    return isEnd
  }

  #string(): string {
    const start = this.#at
    const end = endOfString(this.#text, start)
    if (end === this.#text.length) {
      this.#at = end
      this.#fail('the end of a string')
    }
    this.#at = end + 1
    try {
      return JSON.parse(this.#text.slice(start, end + 1))
    } catch {
      this.#at = start
      return this.#fail('a string without invalid escapes or control characters')
    }
  }

  #numberOrWordInto(container: object, key: string): void {
    const number = this.#match(NUMBER)
    const found = number ?? this.#match(WORD) ?? this.#fail('a value')
    this.#at += found.length
    const value = number === undefined ? WORDS.get(found) : Number(number)
    setOwn(container, key, value)
    if (typeof value === 'number' && found !== JSON.stringify(value))
      noteSpelling(container, key, value, found)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    return pattern.exec(this.#text)?.[0]
  }

  #code(): number {
    return this.#text.charCodeAt(this.#at)
  }

  #skipSpace(): void {
    while (isSpace(this.#code())) this.#at++
  }

  #fail(expected: string): never {
    throw new Error(mistake(this.#text, this.#at, expected))
  }
}

export function isSpace(code: number): boolean {
  return code === SPACE || code === LINE_FEED || code === RETURN || code === TAB
}
