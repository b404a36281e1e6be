interface Spelling {
  value: number
  text: string
}

const spellings = new WeakMap<object, Map<string, Spelling>>()

/** Notes the digits of a number that JSON.stringify would print otherwise: `1.0`, or more digits than a number holds. */
export function noteSpelling(container: object, key: string, value: number, text: string): void {
  const noted = spellings.get(container) ?? new Map()
  spellings.set(container, noted.set(key, { value, text }))
}

/** The digits of a number as they were read, unless it was changed since. */
export function spelling(container: object, key: string): string | undefined {
  const noted = spellings.get(container)?.get(key)
  return noted && Object.is(noted.value, getOwn(container, key)) ? noted.text : undefined
}

/** Copies a member with its spelling. A value that is an object is shared, and keeps its own. */
export function copyMember(from: object, to: object, key: string): void {
  const value = getOwn(from, key)
  const text = spelling(from, key)
  setOwn(to, key, value)
  if (text !== undefined) noteSpelling(to, key, value as number, text)
}

/** A value's own property. Every object inherits `constructor` and `__proto__`, which a text may use as keys too. */
export function getOwn(container: object, key: string): unknown {
  return Object.hasOwn(container, key) ? (container as Record<string, unknown>)[key] : undefined
}

/** Sets an own property, also where its name is `__proto__`. */
export function setOwn(container: object, key: string, value: unknown): void {
  if (key !== '__proto__') (container as Record<string, unknown>)[key] = value
  else Object.defineProperty(container, key, { value, enumerable: true, writable: true, configurable: true })
}
