import { z } from 'zod'
import { publishedForms } from './form.ts'

const titles: Record<keyof typeof publishedForms, string> = {
  report: 'The report of a run of leakrig (report.json, --json)',
  timelines: 'The time lines beside a report of leakrig (timelines.json)',
  known: 'A list of known leaks (leakrig.known.json)',
}

/** The JSON Schemas of the published files, as texts by their names. Reports may have more fields than they say. */
export function schemaTexts(): Record<string, string> {
  const forms = Object.entries(publishedForms) as [keyof typeof publishedForms, z.ZodType][]
  return Object.fromEntries(
    forms.map(([name, form]) => {
      // `input`: what a reader accepts.
      const { $schema, ...rest } = z.toJSONSchema(form, { io: 'input', override: withoutLimit })
      return [name, `${JSON.stringify({ $schema, title: titles[name], ...rest }, null, 2)}\n`]
    }),
  )
}

/** The largest number that JavaScript counts to is no promise. */
function withoutLimit({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
}
