/**
 * `{name}` is a placeholder, `{{name}}` the text `{name}`, and `${name}` a variable of the shell, which stays.
 */
const placeholder = /\{\{(\w+)\}\}|(?<!\$)\{([A-Za-z]\w*)\}/g

/** The names of the placeholders in a text. */
export function namesIn(text: string): string[] {
  return [...text.matchAll(placeholder)].flatMap(([, , name]) => name ?? [])
}

/** The names in all strings of a value. */
export function namesInAll(value: unknown): string[] {
  if (typeof value === 'string') return namesIn(value)
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(namesInAll)
}

/**
 * A text with its placeholders filled in.
 * @param write how a value is written, such as quoted for a shell
 * @throws a MissingValue for a name without a value
 */
export function fill(
  text: string,
  values: Readonly<Record<string, string>>,
  write: (value: string) => string = value => value,
): string {
  return text.replaceAll(placeholder, (_, literal: string | undefined, name: string) => {
    if (literal !== undefined) return `{${literal}}`
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) throw new MissingValue(name)
    return write(value)
  })
}

/** The same for every string in a value. A string that is nothing but one placeholder stays a string. */
export function fillAll<T>(value: T, values: Readonly<Record<string, string>>): T {
  if (typeof value === 'string') return fill(value, values) as T
  if (Array.isArray(value)) return value.map(one => fillAll(one, values)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fillAll(one, values)])) as T
}

/** A shell command with its placeholders filled in, each as one quoted word. */
export function fillShell(command: string, values: Readonly<Record<string, string>>): string {
  return fill(command, values, value => `'${value.replaceAll("'", String.raw`'\''`)}'`)
}

/** A value that a call needs and that nothing has given. */
export class MissingValue extends Error {
  readonly missing: string

  constructor(name: string) {
    super(`nothing has given {${name}}`)
    this.missing = name
  }
}

/** The first placeholder inside quotes of a shell command, where a quoted word would end the quotes. */
export function quotedPlaceholder(command: string): string | undefined {
  let quote = ''
  for (let at = 0; at < command.length; at++) {
    const character = command[at] as string
    if (character === '\\' && quote !== "'") at++
    else if (quote === '' && (character === '"' || character === "'")) quote = character
    else if (character === quote) quote = ''
    else if (quote !== '') {
      const name = /^\{([A-Za-z]\w*)\}/.exec(command.slice(at))?.[1]
      if (name && !['$', '{'].includes(command[at - 1] ?? '')) return name
    }
  }
  return undefined
}
