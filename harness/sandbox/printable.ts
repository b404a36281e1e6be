/** Somebody else's text on one line of a terminal: what a terminal would obey, or would break the line, is written out. */
export function printable(text: string): string {
  return text
    .trim()
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{C}]/gu, character => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}
