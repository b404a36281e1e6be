import { isJson } from '../files/json.ts'
import { type Part, partsAt, rootStart, spaceEnd } from './parts.ts'
import {
  definedKeys,
  type Layout,
  layoutOf,
  lineIn,
  print,
  printItem,
  printMember,
  printValue,
} from './print.ts'
import { getOwn } from './spelling.ts'

/**
 * Changes a text of JSON: `before` is what it was read as, `after` what it shall be read as. Only values that differ are
 * printed, in the layout of their neighbours; every other byte stays, with its digits, escapes, spaces and doubled keys. So
 * does whatever `before` and `after` agree on although the text has it otherwise, such as a default for a missing field.
 */
export function rewrite(text: string, before: object, after: object): string {
  const start = rootStart(text)
  const parts = partsAt(text, start)
  const layout = layoutOf(text, start, parts[0])
  const edits: Edit[] = []
  changeWithin({ text, edits, layout }, start, parts, before, after, layout.line)
  return edited(text, edits)
}

/** A stretch of the text and its replacement. Edits are in the order of the text, and do not overlap. */
interface Edit {
  start: number
  end: number
  by: string
}

interface Draft {
  text: string
  edits: Edit[]
  /** The layout of the whole text. */
  layout: Layout
}

function edited(text: string, edits: readonly Edit[]): string {
  let [at, whole] = [0, '']
  for (const { start, end, by } of edits) {
    whole += text.slice(at, start) + by
    at = end
  }
  return whole + text.slice(at)
}

/** A part of the new object or list, by its key or index there: one that the text has, or a new one. */
interface Planned {
  at: string
  part?: Part
  /** What a part that stays was read as; the same as the new value for one that a later key replaces. */
  was?: unknown
}

/** Changes the object or list at `start`. `line` is that of the value, as in Layout. */
function changeWithin(
  draft: Draft,
  start: number,
  parts: readonly Part[],
  before: object,
  after: object,
  line: string | undefined,
): void {
  const { text, edits, layout } = draft
  const plan = Array.isArray(before)
    ? planItems(parts, before, after as unknown[])
    : planMembers(parts, before, after)
  if (!plan.some(({ part }) => part)) {
    const end = spaceEnd(text, parts.at(-1)?.end ?? start + 1) + 1
    edits.push({ start, end, by: print(after, { ...layout, line }) })
    return
  }
  const around = neighbours(draft, start, parts)
  let next = 0
  let added = ''
  for (const { at, part, was } of plan) {
    if (!part) {
      added += around.print(after, at) + around.separator
      continue
    }
    const n = parts.indexOf(part, next)
    dropParts(edits, parts, next, n)
    if (added !== '') edits.push({ start: part.start, end: part.start, by: added })
    added = ''
    changeValue(draft, parts, n, start, was, after, at)
    next = n + 1
  }
  dropParts(edits, parts, next, parts.length)
  const end = parts.at(-1)?.end ?? start
  // What is added at the end has its separator on its left.
  if (added !== '')
    edits.push({ start: end, end, by: around.separator + added.slice(0, -around.separator.length) })
}

function planMembers(parts: readonly Part[], before: object, after: object): Planned[] {
  const last = new Map(parts.map(part => [part.key, part]))
  const kept = parts.flatMap(part => {
    const at = part.key ?? ''
    const value = getOwn(after, at)
    return value === undefined ? [] : [{ at, part, was: last.get(at) === part ? getOwn(before, at) : value }]
  })
  const added = definedKeys(after).filter(
    key => !last.has(key) && !isSame(getOwn(before, key), getOwn(after, key)),
  )
  return [...kept, ...added.map(at => ({ at }))]
}

/** Finds each item's part by the item's id, or else by its place among those without one. */
function planItems(parts: readonly Part[], before: readonly unknown[], after: readonly unknown[]): Planned[] {
  const [from, to] = [namesOf(before), namesOf(after)]
  const indexes = new Map(from.map((name, n) => [name, n]))
  const found = to.map(name => indexes.get(name))
  const known = found.filter(n => n !== undefined)
  const isInOrder = known.every((n, i) => n > (known[i - 1] ?? -1))
  return found.map((n, index) => {
    const at = String(index)
    const part = isInOrder && n !== undefined ? parts[n] : undefined
    return part ? { at, part, was: before[n ?? -1] } : { at }
  })
}

/** A name for each item that occurs once: its id, with a count for those of the same id. */
function namesOf(list: readonly unknown[]): string[] {
  const counts = new Map<string, number>()
  return list.map(item => {
    const id = isJson(item) && typeof item.id === 'string' ? `id ${item.id}` : 'none'
    const count = counts.get(id) ?? 0
    counts.set(id, count + 1)
    return `${count} ${id}`
  })
}

/** Replaces the value of one part, or changes it within. */
function changeValue(
  draft: Draft,
  parts: readonly Part[],
  n: number,
  start: number,
  was: unknown,
  container: object,
  at: string,
): void {
  const value = getOwn(container, at)
  const part = parts[n]
  if (!part || isSame(was, value)) return
  const { text, edits, layout } = draft
  const line = lineIn(text.slice(parts[n - 1]?.end ?? start + 1, part.start))
  if (isAlike(text[part.valueStart], was, value))
    changeWithin(draft, part.valueStart, partsAt(text, part.valueStart), was as object, value as object, line)
  else
    edits.push({
      start: part.valueStart,
      end: part.end,
      by: printValue(container, at, { ...layout, line }),
    })
}

/** True for two objects or two lists, if the text has one, too. */
function isAlike(bracket: string | undefined, was: unknown, value: unknown): boolean {
  return bracket === '['
    ? Array.isArray(was) && Array.isArray(value)
    : bracket === '{' && isJson(was) && isJson(value)
}

/** Takes the parts from one index to another out, each with the comma before it; after it where nothing before it stays. */
function dropParts(edits: Edit[], parts: readonly Part[], from: number, to: number): void {
  const [first, last] = [parts[from], parts[to - 1]]
  if (from >= to || !first || !last) return
  const before = parts[from - 1]
  if (before) edits.push({ start: before.end, end: last.end, by: '' })
  else edits.push({ start: first.start, end: parts[to]?.start ?? last.end, by: '' })
}

/** How new parts of an object or list are separated and printed: as its last ones are. */
function neighbours({ text, layout }: Draft, start: number, parts: readonly Part[]) {
  const [last, before] = [parts.at(-1), parts.at(-2)]
  const between = text.slice(before?.end ?? start + 1, last?.start)
  const line = lineIn(between)
  const separator = before ? between : line === undefined ? layout.comma : `,${between}`
  const colon = last?.key === undefined ? layout.colon : text.slice(last.keyEnd, last.valueStart)
  const inner = {
    ...layout,
    colon,
    comma: before && line === undefined ? separator : layout.comma,
    line: isOnOneLine(text.slice(last?.valueStart, last?.end)) ? undefined : line,
  }
  return {
    separator,
    print: (container: object, at: string): string =>
      Array.isArray(container) ? printItem(container, Number(at), inner) : printMember(container, at, inner),
  }
}

/** True for an object that some programs put on one line in a list of many. */
const isOnOneLine = (value: string): boolean =>
  value.startsWith('{') && value.length > '{}'.length && lineIn(value) === undefined

/** True when two parsed values are equal. isDeepStrictEqual takes ten times as long, and every write compares a whole registry. */
function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return Object.is(one, other)
  if (Array.isArray(one) !== Array.isArray(other)) return false
  let more = 0
  for (const key in one) {
    const value = getOwn(one, key)
    if (value === undefined) continue
    if (!isSame(value, getOwn(other, key))) return false
    more++
  }
  for (const key in other) if (getOwn(other, key) !== undefined) more--
  return more === 0
}
