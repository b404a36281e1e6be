import { isJson } from '../files/json.ts'
import type { Part } from './parts.ts'
import { getOwn, spelling } from './spelling.ts'

/** How a text is laid out. New values follow it. */
export interface Layout {
  /** The line end and indentation of a value's own line; undefined where values stand on one line. */
  line: string | undefined
  /** The indentation of one level. */
  unit: string
  /** What stands between a key and its value. */
  colon: string
  /** What stands between two parts on one line. */
  comma: string
}

const LINE = /(\r\n|\n|\r)([ \t]*)/g

/** The last line end in a text between two parts, with the indentation that follows it. */
export const lineIn = (between: string): string | undefined => between.match(LINE)?.at(-1)

/** The layout of a whole text, by the first member of its outermost object. Without one: as JSON.stringify with two spaces. */
export function layoutOf(text: string, start: number, first: Part | undefined): Layout {
  if (!first) return { line: '\n', unit: '  ', colon: ': ', comma: ', ' }
  const line = lineIn(text.slice(start + 1, first.start))
  const colon = text.slice(first.keyEnd, first.valueStart)
  return {
    line: line?.replace(/[ \t]+$/, ''),
    unit: line?.replace(/^[\r\n]+/, '') ?? '',
    colon,
    comma: /\s$/.test(colon) ? ', ' : ',',
  }
}

/** The text of a value, as JSON.stringify prints it, in this layout. Numbers keep their digits (`spelling`). */
export function print(value: unknown, layout: Layout): string {
  const inner = layout.line === undefined ? layout : { ...layout, line: layout.line + layout.unit }
  if (Array.isArray(value))
    return enclose(
      '[]',
      value.map((_, n) => printItem(value, n, inner)),
      layout,
      inner,
    )
  if (!isJson(value)) return JSON.stringify(value) ?? 'null'
  return enclose(
    '{}',
    definedKeys(value).map(key => printMember(value, key, inner)),
    layout,
    inner,
  )
}

/** The text of a member: key, colon and value. */
export const printMember = (object: object, key: string, layout: Layout): string =>
  JSON.stringify(key) + layout.colon + printValue(object, key, layout)

export const printItem = (list: readonly unknown[], n: number, layout: Layout): string =>
  printValue(list, String(n), layout)

/** The text of a value within an object or list. */
export const printValue = (container: object, key: string, layout: Layout): string =>
  spelling(container, key) ?? print(getOwn(container, key), layout)

/** The keys of an object that JSON.stringify would write. */
export const definedKeys = (object: object): string[] =>
  Object.keys(object).filter(key => getOwn(object, key) !== undefined)

function enclose(brackets: string, parts: string[], { line, comma }: Layout, inner: Layout): string {
  const [open = '', close = ''] = brackets
  if (parts.length === 0) return brackets
  if (line === undefined) return open + parts.join(comma) + close
  return open + inner.line + parts.join(`,${inner.line}`) + line + close
}
