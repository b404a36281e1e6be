import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { schemaTexts } from '../harness/report/json-schema.ts'
import { projectRoot } from './programs.ts'

/** Writes the JSON Schemas of the published files to `schemas`; `--check` only says whether they are as they should be. */
const isCheck = process.argv.includes('--check')
for (const [name, text] of Object.entries(schemaTexts())) {
  const file = join(projectRoot, 'schemas', `${name}.schema.json`)
  if (!isCheck) writeFileSync(file, text)
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${file} is not what the types say: npm run schemas writes it.`)
    process.exitCode = 1
  }
}
