import { closeSync, openSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { UsageError } from './exit.ts'

/** Before the run: a report that can not be written afterwards is a lost run. */
export function requireWritable(file: string): void {
  try {
    closeSync(openSync(file, 'a'))
  } catch (error) {
    throw new UsageError(
      `The report can not be written to ${resolve(file)}: ${String(error)}; name a file in a folder that exists.`,
    )
  }
}

export function writeJson(file: string, report: object): void {
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
}
