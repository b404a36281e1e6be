type Value = string | number | boolean | Value[] | { [key: string]: Value }

const PROLOGUE =
  /^(?:<\?xml version="1\.0" encoding="UTF-8"\?>\n)?(?:<!DOCTYPE plist PUBLIC "[^"]*" "[^"]*">\n)?/

/** Parses an XML property list. Throws if the text is not well formed or not a property list. */
export function parsePlist(text: string): Value {
  let rest = text.replace(PROLOGUE, '')
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    const found = pattern.exec(rest)
    if (found?.index !== 0) return undefined
    rest = rest.slice(found[0].length)
    return found
  }
  const space = () => {
    while (take(/^\s+/) || take(/^<!--(?!>|->)(?:(?!--)[\s\S])*-->/));
  }
  const need = (pattern: RegExp): string => {
    space()
    const found = take(pattern)
    if (!found) throw new Error(`expected ${pattern} at ${rest.slice(0, 40)}`)
    return found[1] ?? ''
  }
  const has = (pattern: RegExp): boolean => {
    space()
    return take(pattern) !== undefined
  }
  const characters = (name: string): string => decode(need(new RegExp(`^<${name}>([^<]*)</${name}>`)))
  const value = (): Value => {
    if (has(/^<true\/>/)) return true
    if (has(/^<false\/>/)) return false
    if (has(/^<array>/)) {
      const items: Value[] = []
      while (!has(/^<\/array>/)) items.push(value())
      return items
    }
    if (has(/^<dict>/)) {
      const entries: [string, Value][] = []
      while (!has(/^<\/dict>/)) entries.push([characters('key'), value()])
      if (new Set(entries.map(([key]) => key)).size !== entries.length) throw new Error('duplicate key')
      return Object.fromEntries(entries)
    }
    return /^<integer>/.test(rest) ? Number(need(/^<integer>(-?\d+)<\/integer>/)) : characters('string')
  }
  need(/^<plist version="1\.0">/)
  const found = value()
  need(/^<\/plist>/)
  space()
  if (rest !== '') throw new Error(`unexpected text after </plist>: ${rest.slice(0, 40)}`)
  return found
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function decode(text: string): string {
  return text.replaceAll(/&([^;\s]*);?|[\x00-\x08\x0b-\x1f\ufffe\uffff]/g, (whole, name?: string) => {
    const code = /^#x([\da-f]+)$/.exec(name ?? '')?.[1]
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16))
    const character = name === undefined ? undefined : ENTITIES[name]
    if (character === undefined || !whole.endsWith(';'))
      throw new Error(`not well formed: ${JSON.stringify(whole)}`)
    return character
  })
}
