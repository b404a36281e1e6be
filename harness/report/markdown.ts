import { oneLine, printableLines } from '../terminal.ts'
import { cut } from './text.ts'

/** The longest name, and the longest block, in characters: what is longer is cut. */
const longest = { name: 1_000, block: 16_000 }

/**
 * A text from outside as code in Markdown: every sign that could mean something there, or to GitHub, is an entity, so that a
 * name is no link, no heading, no column of a table and mentions nobody.
 */
export function code(text: string): string {
  const escaped = oneLine(cut(text, longest.name)).replaceAll(
    /[!-/:-@[-`{-~]/g,
    sign => `&#${sign.charCodeAt(0)};`,
  )
  return `<code>${escaped}</code>`
}

/** Lines from outside as a block of code, with a fence that none of them closes. */
export function codeBlock(text: string): string {
  const lines = cut(printableLines(text), longest.block)
  const runs = lines.match(/`+/g) ?? []
  const fence = '`'.repeat(runs.reduce((most, { length }) => Math.max(most, length), 2) + 1)
  return [`${fence}text`, lines, fence].join('\n')
}

/** A table; the first row is its head. The cells are Markdown. */
export function table([head = [], ...rows]: string[][]): string {
  const line = (row: string[]) => `| ${row.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
