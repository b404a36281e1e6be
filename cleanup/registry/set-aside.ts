import { isJson, type Json } from '../platform/files/json.ts'

/** What stands among a registry's entries and is none. Others write registries too: it is kept, and written back. */
export interface SetAside {
  /** The field that it stands in: `agents`, or `tasks`. */
  field: string
  /** Its place in the list, or its name. */
  at: number | string
  value: unknown
  /** What it is, in words. */
  what: string
}

/** Where a registry holds them: JSON does not show what a symbol names. */
export const SET_ASIDE = Symbol('set aside')

export interface WithSetAside {
  [SET_ASIDE]?: readonly SetAside[]
}

/** Takes out of a list what is no object with an `id`. */
export function takeFromList(list: unknown[], field: string): SetAside[] {
  const all = [...list.entries()].map(([at, value]) => ({ field, at, value, what: whatInstead(value) }))
  const aside = all.flatMap(({ what, ...one }) => (what === undefined ? [] : [{ ...one, what }]))
  if (aside.length === 0) return aside
  list.length = 0
  for (const { what, value } of all) if (what === undefined) list.push(value)
  return aside
}

/** What a value is that should be an object with an `id`; undefined when it is one. */
function whatInstead(value: unknown): string | undefined {
  if (!isJson(value)) return kind(value)
  return typeof value.id === 'string' ? undefined : 'an object without an id'
}

/** Takes out of an object what is no object itself. */
export function takeFromMap(map: Json, field: string): SetAside[] {
  const aside = Object.entries(map).flatMap(([at, value]) =>
    isJson(value) ? [] : [{ field, at, value, what: kind(value) }],
  )
  for (const { at } of aside) delete map[at]
  return aside
}

/** A registry with what was set aside in its place again, to be written. What has come to stand there since stays. */
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

/** A list with each value in its place again. They are in the order of their places. */
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

/** Of how many it is said what they are. */
const MOST_NAMED = 3

/** What was set aside of a registry, in a sentence; undefined when nothing was. */
export function setAsideText(file: string, { [SET_ASIDE]: aside = [] }: WithSetAside): string | undefined {
  if (aside.length === 0) return undefined
  const named = aside.slice(0, MOST_NAMED).map(({ field, at, what }) => {
    const which = typeof at === 'number' ? `number ${at + 1}` : JSON.stringify(at.slice(0, 64))
    return `${which} of its ${field} is ${what}`
  })
  const more = aside.length - named.length
  return `The registry ${file} has ${aside.length === 1 ? 'an entry that is' : `${aside.length} entries that are`} none: ${named.join(', ')}${more > 0 ? `, and ${more} more` : ''}. The others count; correct or remove ${aside.length === 1 ? 'it' : 'them'}.`
}

/** What may be an agent's entry all the same, of a program that has another word for its id. */
export const setAsideObjects = ({ [SET_ASIDE]: aside = [] }: WithSetAside): Json[] =>
  aside.flatMap(({ value }) => (isJson(value) ? [value] : []))

function kind(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`
}
