import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import { fieldPath, issueText } from '../definition/issue-text.ts'
import { knownFileSchema } from './known-leak.ts'
import { reportSchema, timelinesSchema } from './report.ts'

/** The files whose form is promised, by the name of the published schema (schemas/). */
export const publishedForms = {
  report: reportSchema,
  timelines: timelinesSchema,
  known: knownFileSchema,
} as const

/** What is wrong with the form of some data, a sentence without its end for each mistake. */
export function formMistakes(form: z.ZodType, data: unknown): string[] {
  const { success, error } = form.safeParse(data)
  return success ? [] : error.issues.map(issue => issueText(issue, data))
}

/**
 * The first mistake in what leakrig itself writes, as a sentence without its end. A reader ignores fields that it does not know;
 * a writer has none.
 */
export function ownMistake(form: z.ZodType, text: string): string | undefined {
  const data: unknown = JSON.parse(text)
  const { success, data: known } = form.safeParse(data)
  return success ? unknownField(data, known) : formMistakes(form, data)[0]
}

/** The first field that a form does not have. */
function unknownField(data: unknown, known: unknown, path: PropertyKey[] = []): string | undefined {
  if (isDeepStrictEqual(data, known)) return undefined
  if (typeof data !== 'object' || typeof known !== 'object' || data === null || known === null)
    return `${fieldPath(path)}: is changed by its form`
  for (const [key, value] of Object.entries(data)) {
    const at = [...path, Array.isArray(data) ? Number(key) : key]
    if (!(key in known)) return `${fieldPath(at)}: unknown field`
    const found = unknownField(value, Reflect.get(known, key), at)
    if (found !== undefined) return found
  }
  return undefined
}
