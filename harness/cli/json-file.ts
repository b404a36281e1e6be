import {
  accessSync,
  constants,
  existsSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { UsageError } from './exit.ts'

/** Before the run: a report that cannot be written afterwards is a lost run. Nothing is made yet. */
export function requireWritable(file: string): void {
  try {
    if (existsSync(file) && statSync(file).isDirectory()) throw new Error('it is a folder')
    accessSync(existsSync(file) ? file : dirname(resolve(file)), constants.W_OK)
  } catch (error) {
    throw new UsageError(
      `The report can not be written to ${resolve(file)} (${words(error)}): name a file in a folder that exists and can be written to.`,
    )
  }
}

/**
 * Writes the report whole or not at all: a full disk leaves no half a report, and an older one as it was. What it cannot
 * write is reported in a sentence, because the run's verdict stands without it.
 */
export function writeJson(file: string, report: object): void {
  const text = `${JSON.stringify(report, null, 2)}\n`
  try {
    if (!existsSync(file)) replace(resolve(file), text)
    else if (statSync(file).isFile()) replace(realpathSync(file), text)
    else writeFileSync(file, text) // a device or a pipe
  } catch (error) {
    console.error(
      `leakrig: The report could not be written to ${resolve(file)} (${words(error)}): the verdict above stands.`,
    )
  }
}

function replace(file: string, text: string): void {
  const draft = `${file}.${process.pid}.tmp`
  try {
    writeFileSync(draft, text, { flag: 'wx' })
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    // A file that may be written to, in a folder that may not.
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error
    writeFileSync(file, text)
  }
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error))
