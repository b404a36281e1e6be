/** The deepest nesting of objects and lists. A registry needs six levels; the parser's stack would overflow at some thousands. */
export const MOST_LEVELS = 100

/** Lines that `git merge` writes into a file that it could not merge. */
const CONFLICT = /^(?:<{7}|={7}|>{7}|\|{7})(?: |\r?$)/m

/** What is wrong with a text that is not JSON, for use inside a sentence. It quotes nothing: the file may be a private one. */
export function mistake(text: string, at: number, expected: string): string {
  if (text === '') return 'it is empty'
  if (!/[^\0]/.test(text)) return 'it has only zero bytes, as after a power failure'
  if (/^\uFEFF?\s*$/.test(text)) return 'it has only white space'
  if (text.slice(0, 4).includes('\0')) return 'it is probably UTF-16, and JSON is UTF-8'
  const conflict = CONFLICT.exec(text)
  if (conflict)
    return `it is not whole JSON: line ${place(text, conflict.index).line} is a conflict marker of git`
  const { line, column } = place(text, at)
  if (text.slice(at).trim() === '')
    return `it is not whole JSON: it ends at line ${line}, column ${column}, where ${expected} was expected, so it was cut short`
  return `it is not whole JSON: at line ${line}, column ${column}, ${expected} was expected`
}

/** What is wrong with bytes that are not UTF-8. `text` is what a lenient decoder made of them. */
export function encodingMistake(bytes: Buffer, text: string): string {
  if (/^(?:\xff\xfe|\xfe\xff)/.test(bytes.toString('latin1', 0, 2))) return 'it is UTF-16, and JSON is UTF-8'
  for (let at = text.indexOf(REPLACEMENT); at !== -1; at = text.indexOf(REPLACEMENT, at + 1)) {
    const offset = Buffer.byteLength(text.slice(0, at))
    if (bytes.subarray(offset, offset + REPLACEMENT_BYTES.length).equals(REPLACEMENT_BYTES)) continue
    const { line, column } = place(text, at)
    return `it is not UTF-8: at line ${line}, column ${column}, a byte belongs to no character`
  }
  return 'it is not UTF-8'
}

/** A decoder puts it in the place of bytes that are not UTF-8, but it may also be in the file. */
const REPLACEMENT = '\ufffd'
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT)

function place(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split(/\r\n|\n|\r/)
  return { line: before.length, column: (before.at(-1) ?? '').replace('\uFEFF', '').length + 1 }
}
