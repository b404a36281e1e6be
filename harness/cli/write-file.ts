import { randomUUID } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { z } from 'zod'
import { makeFolder } from '../make-folder.ts'
import { ownMistake } from '../report/form.ts'
import { printableJson, printProblem } from '../terminal.ts'
import { ownFileProblem } from './own-file.ts'

/** How a text gets into a file. @throws where it does not */
type Put = (file: string, text: string) => void

/**
 * Writes a report, and makes the folders above it: whole or not at all, so that on a full disk an older one stays as it was.
 * @param form the published form, of which what is written must be
 * @returns false where it could not be written, or does not have its form; a sentence on stderr says which
 */
export function writeJson(file: string, report: object, form?: z.ZodType, put?: Put): boolean {
  const text = `${printableJson(report)}\n`
  if (!writeText(file, text, put)) return false
  const mistake = form && ownMistake(form, text)
  if (mistake === undefined) return true
  printProblem(
    `${resolve(file)} was written, and does not have the form that schemas/ promises: ${mistake}. This is a fault of leakrig: please report it with this line.`,
  )
  return false
}

/** The same for a text. */
export function writeText(file: string, text: string, put: Put = putThroughLinks): boolean {
  try {
    makeFolder(dirname(resolve(file)))
    put(resolve(file), text)
    return true
  } catch (error) {
    printProblem(
      `The report could not be written to ${resolve(file)} (${(error as Error).message}): what was measured is above.`,
    )
    return false
  }
}

/** Into a file that a user names: into what a link leads to, and into a device. */
function putThroughLinks(file: string, text: string): void {
  const isThere = existsSync(file)
  if (isThere && !statSync(file).isFile()) writeFileSync(file, text)
  else replace(isThere ? realpathSync(file) : file, text, writeFileSync)
}

/** Into a file of a report folder, through no link: the name gets a new file. */
export function putByName(file: string, text: string): void {
  const found = lstatSync(file, { throwIfNoEntry: false })
  const problem = found && ownFileProblem(found)
  if (problem !== undefined) throw new Error(problem)
  replace(file, text, overwrite)
}

/** A draft beside a file: its name fits wherever that of the file does. */
export const draftIn = (folder: string): string => join(folder, `.leakrig-${randomUUID()}.tmp`)

/** Its folder takes no file, or the file itself is mounted there: the file can still be written in its place. */
const mayStay: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS', 'EBUSY'])

function replace(file: string, text: string, inPlace: Put): void {
  const draft = draftIn(dirname(file))
  try {
    writeFileSync(draft, text, { flag: 'wx' })
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    if (!mayStay.has((error as NodeJS.ErrnoException).code) || !existsSync(file)) throw error
    inPlace(file, text)
  }
}

function overwrite(file: string, text: string): void {
  const { O_WRONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  const fd = openSync(file, O_WRONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const problem = ownFileProblem(fstatSync(fd))
    if (problem !== undefined) throw new Error(problem)
    ftruncateSync(fd)
    writeFileSync(fd, text)
  } finally {
    closeSync(fd)
  }
}
