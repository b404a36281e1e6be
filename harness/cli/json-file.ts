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
import type { z } from 'zod'
import { requireOwnForm } from '../report/form.ts'
import { printableJson, printProblem } from '../terminal.ts'
import { UsageError } from './exit.ts'

/**
 * Checks before a run that its report can be written afterwards. Creates nothing.
 * @throws UsageError when it cannot
 */
export function requireWritable(file: string): void {
  try {
    if (existsSync(file) && statSync(file).isDirectory()) throw new Error('it is a folder')
    accessSync(existsSync(file) ? file : dirname(resolve(file)), constants.W_OK)
  } catch (error) {
    throw new UsageError(
      `The report cannot be written to ${resolve(file)} (${messageOf(error)}): name a file in a folder that exists and can be written to.`,
    )
  }
}

/**
 * Writes the report whole or not at all: on a full disk an older report stays as it was. A failure is reported on
 * stderr and not thrown, because the verdict of the run stands without the file.
 * @throws Error when what was written does not have the form that is published, which is a fault of leakrig
 */
export function writeJson(file: string, report: object, form?: z.ZodType): void {
  const text = `${printableJson(report)}\n`
  writeText(file, text)
  if (form) requireOwnForm(form, text, file)
}

/** The same for a text. */
export function writeText(file: string, text: string): void {
  try {
    if (!existsSync(file)) replace(resolve(file), text)
    else if (statSync(file).isFile()) replace(realpathSync(file), text)
    else writeFileSync(file, text) // a device or a pipe
  } catch (error) {
    printProblem(
      `The report could not be written to ${resolve(file)} (${messageOf(error)}): the verdict above stands.`,
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
    // The file is writable, and its folder is not.
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error
    writeFileSync(file, text)
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
