/** Control characters, format characters (such as those that turn the direction of writing), halves of surrogate pairs, unassigned ones, and line ends. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** One line, with every character escaped that could break it, rewrite the terminal, or show it in another order. */
export const oneLine = (text: string): string =>
  text.replaceAll(UNPRINTABLE, character => `\\u{${character.codePointAt(0)?.toString(16)}}`)

/** JSON with the same characters escaped as JSON allows, so that it may be printed on a terminal. Line ends of `indent` stay. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replaceAll(UNPRINTABLE, character =>
    // JSON.stringify prints line ends between values only.
    character === '\n' ? character : jsonEscape(character),
  )
}

function jsonEscape(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map(unit => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
