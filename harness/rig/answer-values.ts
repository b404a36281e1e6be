import { atPointer } from '../definition/pointer.ts'
import { type PatternSource, type PlannedCall, patternOf } from '../definition/system.ts'

/** The values that a call's answer names, or what is wrong with it, as the end of a sentence. */
type Found = { values: Record<string, string> } | { missing: string }

/** Reads the values out of an answer, as the call's result says. The fields of what a function returns are values by themselves. */
export function valuesIn(content: unknown, { result, kind }: PlannedCall): Found {
  if (result && 'pattern' in result) {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    const groups = patternOf(result.pattern).exec(text)?.groups
    if (!groups) return { missing: `does not match /${result.pattern.source}/: ${shown(content)}` }
    return { values: Object.fromEntries(Object.entries(groups).filter(([, value]) => value !== undefined)) }
  }
  if (result) {
    const values: Record<string, string> = {}
    for (const [name, pointer] of Object.entries(result.pointers)) {
      const value = atPointer(content, pointer)
      if (!isValue(value))
        return { missing: `has no text or number for {${name}} at ${pointer}: ${shown(content)}` }
      values[name] = String(value)
    }
    return { values }
  }
  const fields = kind === 'function' && typeof content === 'object' && content !== null ? content : {}
  return {
    values: Object.fromEntries(
      Object.entries(fields).flatMap(([name, value]) => (isValue(value) ? [[name, String(value)]] : [])),
    ),
  }
}

const isValue = (value: unknown): value is string | number =>
  (typeof value === 'string' && value !== '') || typeof value === 'number'

/**
 * The failure that an answer reports in its content, such as `{"success": false, "error": "no such agent"}`, or that the
 * definition says is one; undefined for any other answer.
 */
export function failureIn(content: unknown, failedWhen?: PatternSource): string | undefined {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  if (failedWhen && patternOf(failedWhen).test(text)) return shown(content)
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return undefined
  const { success, ok, error, message } = content as Record<string, unknown>
  if (success !== false && ok !== false) return undefined
  return [error, message].find(text => typeof text === 'string' && text !== '')
    ? String(error ?? message)
    : shown(content)
}

function shown(content: unknown): string {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
