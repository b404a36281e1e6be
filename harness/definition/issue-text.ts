import { inspect } from 'node:util'
import type { z } from 'zod'

/** Where something is in a definition: `deploy.args.prompt`, `prepare[1]`. */
export function fieldPath(path: readonly PropertyKey[]): string {
  return path
    .map(part => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '')
}

/** One mistake in one sentence without its end, such as `deploy.timeoutMs: expected a number, and found "3s"`. */
export function issueText(
  issue: z.core.$ZodIssue,
  data: unknown,
  before: readonly PropertyKey[] = [],
  known: readonly string[] = [],
): string {
  const where = fieldPath([...before, ...issue.path])
  return `${where ? `${where}: ` : ''}${mistake(issue, valueAt(data, issue.path), known)}`
}

function mistake(issue: z.core.$ZodIssue, found: unknown, known: readonly string[]): string {
  switch (issue.code) {
    case 'unrecognized_keys': {
      const names = issue.keys.map(key => JSON.stringify(key)).join(', ')
      return `unknown field ${names}${known.length > 0 && issue.path.length === 0 ? `; there are ${known.join(', ')}` : ''}`
    }
    case 'invalid_type':
      return found === undefined
        ? `is missing; expected ${article(issue.expected)}`
        : `expected ${article(issue.expected)}, and found ${shown(found)}`
    case 'invalid_value':
      return `expected ${issue.values.map(value => JSON.stringify(value)).join(' or ')}, and found ${shown(found)}`
    case 'invalid_key':
      return `has a field that is no known name`
    case 'too_big':
      return `expected at most ${issue.maximum}, and found ${shown(found)}`
    case 'too_small':
      return issue.message.startsWith('expected')
        ? issue.message
        : `expected ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}, and found ${shown(found)}`
    default:
      return issue.message.startsWith('expected') && found !== undefined && !issue.message.includes('found')
        ? `${issue.message}, and found ${shown(found)}`
        : issue.message
  }
}

const article = (type: string): string => {
  const name = { record: 'an object', object: 'an object', array: 'a list', int: 'a whole number' }[type]
  return name ?? `a ${type}`
}

/** A value as a mistake names it. */
export function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (value instanceof RegExp) return String(value)
  const text = asText(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** JSON has no cycles and no BigInt. */
function asText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return inspect(value, { breakLength: Infinity })
  }
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, part) => (at as Record<PropertyKey, unknown> | undefined)?.[part], data)
}
