import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { projectRoot } from '../../../bin/programs.ts'
import type { publishedForms } from '../../report/form.ts'
import type { Report } from '../../report/report.ts'

/** What another program's validator finds wrong with a file of ours by its published schema; empty for nothing. */
export function foundByAjv(name: keyof typeof publishedForms, data: unknown): string[] {
  // The schemas have a pattern beside each format.
  const ajv = new Ajv2020({ allErrors: true, formats: { date: true, 'date-time': true } })
  const schema = readFileSync(join(projectRoot, 'schemas', `${name}.schema.json`), 'utf8')
  const validate = ajv.compile(JSON.parse(schema))
  return validate(data)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

/** Reads a report as another program does, by its published schema. @throws when it does not have its form */
export function readReport(file: string): Report {
  const report = JSON.parse(readFileSync(file, 'utf8'))
  const found = foundByAjv('report', report)
  if (found.length > 0) throw new Error(`${file}: ${found.join('; ')}`)
  return report
}
