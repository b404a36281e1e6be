import { randomUUID } from 'node:crypto'
import { existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { z } from 'zod'
import { makeFolder } from '../make-folder.ts'
import { ownMistake } from '../report/form.ts'
import { printableJson, printProblem } from '../terminal.ts'

/**
 * Writes a report, and makes the folders above it: whole or not at all, so that on a full disk an older one stays as it was.
 * @param form the published form, of which what is written must be
 * @returns false where it could not be written, or does not have its form; a sentence on stderr says which
 */
export function writeJson(file: string, report: object, form?: z.ZodType): boolean {
  const text = `${printableJson(report)}\n`
  if (!writeText(file, text)) return false
  const mistake = form && ownMistake(form, text)
  if (mistake === undefined) return true
  printProblem(
    `${resolve(file)} was written, and does not have the form that schemas/ promises: ${mistake}. This is a fault of leakrig: please report it with this line.`,
  )
  return false
}

/** The same for a text. */
export function writeText(file: string, text: string): boolean {
  try {
    makeFolder(dirname(resolve(file)))
    const isDevice = existsSync(file) && !statSync(file).isFile()
    if (isDevice) writeFileSync(file, text)
    else replace(existsSync(file) ? realpathSync(file) : resolve(file), text)
    return true
  } catch (error) {
    printProblem(
      `The report could not be written to ${resolve(file)} (${(error as Error).message}): what was measured is above.`,
    )
    return false
  }
}

/** A draft beside a file: its name fits wherever that of the file does. */
export const draftIn = (folder: string): string => join(folder, `.leakrig-${randomUUID()}.tmp`)

/** Its folder takes no file, or the file itself is mounted there: the file can still be written in its place. */
const mayStay: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS', 'EBUSY'])

function replace(file: string, text: string): void {
  const draft = draftIn(dirname(file))
  try {
    writeFileSync(draft, text, { flag: 'wx' })
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    if (!mayStay.has((error as NodeJS.ErrnoException).code) || !existsSync(file)) throw error
    writeFileSync(file, text)
  }
}
