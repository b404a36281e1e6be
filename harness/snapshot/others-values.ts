import { atPointer } from '../definition/pointer.ts'
import { parseValues } from '../json.ts'

/** The field that somebody else has in a registry and in an entry of it, among the fields of the system under test. */
export const OTHERS_FIELD = 'of_somebody_else'

/** The agent of that entry. It ended long ago. */
export const OTHERS_AGENT = 'of-somebody-else'

/**
 * What somebody else put into a registry, by its place: the values as JSON, each in one spelling.
 * `agents` is the JSON pointer to its agents.
 * Undefined when the text has nothing of it.
 */
export function othersValues(text: string, agents: string): Record<string, string> | undefined {
  if (!text.includes(OTHERS_FIELD)) return undefined
  const registry = parseValues(text)
  const list = atPointer(registry, agents)
  const entry = Array.isArray(list)
    ? list.find(({ id }: { id: unknown }) => id === OTHERS_AGENT)
    : Object(list)[OTHERS_AGENT]
  const values = {
    [`the field ${OTHERS_FIELD}`]: registry[OTHERS_FIELD],
    [`the field ${OTHERS_FIELD} of the entry ${OTHERS_AGENT}`]: entry?.[OTHERS_FIELD],
  }
  return Object.fromEntries(
    Object.entries(values).flatMap(([place, value]) =>
      value === undefined ? [] : [[place, JSON.stringify(value)]],
    ),
  )
}
