import { isJson, type Json } from '../platform/files/json.ts'

/** A value among a registry's entries that is not an entry. Other programs write registries too, so it is kept and written back. */
export interface SetAside {
  /** The field that contains it: `agents` or `tasks`. */
  field: string
  /** Its index in the list, or its name. */
  at: number | string
  value: unknown
  /** What kind of value it is, in words. */
  what: string
}

/** The property that holds them. JSON.stringify skips symbols. */
export const SET_ASIDE = Symbol('set aside')

export interface WithSetAside {
  [SET_ASIDE]?: readonly SetAside[]
}

/** Removes from a list, and returns, what is not an object with an `id`. */
export function takeFromList(list: unknown[], field: string): SetAside[] {
  const all = [...list.entries()].map(([at, value]) => ({ field, at, value, what: kindUnlessEntry(value) }))
  const aside = all.flatMap(({ what, ...one }) => (what === undefined ? [] : [{ ...one, what }]))
  if (aside.length === 0) return aside
  list.length = 0
  for (const { what, value } of all) if (what === undefined) list.push(value)
  return aside
}

/** The kind of a value that is not an object with an `id`; undefined for one that is. */
function kindUnlessEntry(value: unknown): string | undefined {
  if (!isJson(value)) return kindOf(value)
  return typeof value.id === 'string' ? undefined : 'an object without an id'
}

/** Removes from an object, and returns, the values that are not objects. */
export function takeFromMap(map: Json, field: string): SetAside[] {
  const aside = Object.entries(map).flatMap(([at, value]) =>
    isJson(value) ? [] : [{ field, at, value, what: kindOf(value) }],
  )
  for (const { at } of aside) delete map[at]
  return aside
}

/** The registry to write, with the set-aside values back in place. An entry that took the same name since wins. */
export function withSetAside<T extends object>(registry: T & WithSetAside): T {
  const whole = { ...registry } as Json
  for (const [field, aside] of Map.groupBy(registry[SET_ASIDE] ?? [], one => one.field)) {
    const found = whole[field]
    if (Array.isArray(found)) whole[field] = merged(found, aside)
    else if (isJson(found))
      whole[field] = { ...Object.fromEntries(aside.map(({ at, value }) => [at, value])), ...found }
  }
  return whole as T
}

/** Inserts the set-aside values, which are sorted by index, at their indexes. */
function merged(list: readonly unknown[], aside: readonly SetAside[]): unknown[] {
  const whole: unknown[] = []
  let next = 0
  for (const { at, value } of aside) {
    while (whole.length < Number(at) && next < list.length) whole.push(list[next++])
    whole.push(value)
  }
  while (next < list.length) whole.push(list[next++])
  return whole
}

/** How many of them a message describes. */
const MOST_NAMED = 3

/** A sentence about a registry's set-aside values; undefined without any. */
export function setAsideText(file: string, { [SET_ASIDE]: aside = [] }: WithSetAside): string | undefined {
  if (aside.length === 0) return undefined
  const named = aside.slice(0, MOST_NAMED).map(({ field, at, what }) => {
    const which = typeof at === 'number' ? `number ${at + 1}` : JSON.stringify(at.slice(0, 64))
    return `${which} of its ${field} is ${what}`
  })
  const more = aside.length - named.length
  return `The registry ${file} has ${aside.length === 1 ? 'an invalid entry' : `${aside.length} invalid entries`}: ${named.join(', ')}${more > 0 ? `, and ${more} more` : ''}. All others are used; correct or remove ${aside.length === 1 ? 'it' : 'them'}.`
}

/** The set-aside objects, which may be agents' entries of a program with another name for the id. */
export const setAsideObjects = ({ [SET_ASIDE]: aside = [] }: WithSetAside): Json[] =>
  aside.flatMap(({ value }) => (isJson(value) ? [value] : []))

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`
}
