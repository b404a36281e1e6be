import { inspect } from 'node:util'

/*
 * What the rig prints comes from outside: names, paths, command lines, logs, errors of other programs. Only this file and the
 * reporter write to standard output and standard error (test/report/terminal.test.ts).
 */

/** Control characters, format characters (such as those that turn the direction of writing), halves of surrogate pairs, unassigned ones, and line ends. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu

/**
 * Another program's text as one line, with every character escaped that could break it, rewrite the terminal, or show it
 * in another order: `\u{1b}`.
 */
export function oneLine(text: string): string {
  return text.replaceAll(unprintable, character => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/** The same line by line: for a text whose line ends are wanted. */
export function printableLines(text: string): string {
  return text.split('\n').map(oneLine).join('\n')
}

/** Another program's text as one line, with its line ends and other space joined. */
export function printable(text: string): string {
  return oneLine(text.trim().replaceAll(/\s+/g, ' '))
}

/** Prints a text to standard output, line by line (`printableLines`). */
export function print(text: string): void {
  console.log(printableLines(text))
}

/** The same to standard error, where standard output is a command's. */
export function printAside(text: string): void {
  console.error(printableLines(text))
}

/** Prints a sentence to standard error; further lines are details of it. */
export function printProblem(sentence: string): void {
  console.error(withoutCommands(`leakrig: ${printableLines(sentence)}`))
}

/** Prints an error that nobody expected to standard error, with its stack. */
export function printUnforeseen(error: unknown): void {
  console.error(withoutCommands(printableLines(inspect(error))))
}

/** GitHub reads both streams on their own, so that the lines of one are not guarded by a command in the other. */
const withoutCommands = (text: string): string =>
  text.replaceAll(/^\s*::|##\[/gm, command =>
    command.replace(/[:#]/, sign => (sign === ':' ? '\\u{3a}' : '\\u{23}')),
  )

/** Quotes a word for a person to paste into a shell, only where that is necessary. */
export function shellWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  if (word.search(unprintable) === -1) return `'${word.replaceAll("'", `'\\''`)}'`
  const escaped = word
    .replaceAll(/[\\']/g, '\\$&')
    .replaceAll(unprintable, character =>
      [...Buffer.from(character)].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
    )
  return `$'${escaped}'`
}

/** Indented JSON with the same characters escaped as JSON allows. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(unprintable, character =>
    // JSON.stringify prints line ends between values only.
    character === '\n' ? character : jsonEscape(character),
  )
}

function jsonEscape(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map(unit => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
