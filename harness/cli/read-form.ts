import type { z } from 'zod'
import { readRegular } from '../read-regular.ts'
import { formMistakes } from '../report/form.ts'
import { printable } from '../terminal.ts'
import { UsageError } from './exit.ts'

/** The most mistakes that are listed. */
const mostShown = 50

/**
 * Reads a JSON file that must have a form.
 * @param further mistakes that the form does not know, in sentences without their ends
 * @param limit the most bytes that it may have
 * @throws UsageError with every mistake of the file
 */
export function readForm<Form extends z.ZodType>(
  form: Form,
  file: string,
  further: (data: z.infer<Form>) => string[] = () => [],
  limit?: number,
): z.infer<Form> {
  const data = readJson(file, limit)
  const parsed = form.safeParse(data)
  const mistakes = parsed.success ? further(parsed.data) : formMistakes(form, data)
  if (parsed.success && mistakes.length === 0) return parsed.data
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`
  const more = mistakes.length > mostShown ? [`  and ${mistakes.length - mostShown} more`] : []
  const shown = mistakes.slice(0, mostShown).map(mistake => `  ${mistake}`)
  throw new UsageError([`${file} has ${count}:`, ...shown, ...more].join('\n'))
}

/** @throws UsageError for a file that is no JSON, no regular file, or has more bytes than the limit */
export function readJson(file: string, limit?: number): unknown {
  try {
    return JSON.parse(readRegular(file, limit))
  } catch (error) {
    throw new UsageError(`${file} cannot be read as JSON: ${printable((error as Error).message)}.`)
  }
}
