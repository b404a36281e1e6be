import { closeSync, fstatSync, lstatSync, openSync, rmSync, type Stats, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isatty } from 'node:tty'
import { UsageError } from './exit.ts'
import { ownFileProblem } from './own-file.ts'
import { draftIn } from './write-file.ts'

/**
 * Checks before a run that a file can be written afterwards, with the folders above it that are missing. Leaves nothing behind.
 * @throws UsageError when it cannot
 */
export function requireWritable(file: string): void {
  const path = resolve(file)
  refuse(path, problemOf(path))
}

/** The same for a file of a report folder, which is written through no link. */
export function requireOwnFile(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  refuse(path, (found && ownFileProblem(found)) ?? problemOf(path))
}

function refuse(path: string, problem: string | undefined): void {
  if (problem !== undefined)
    throw new UsageError(
      `The report cannot be written to ${path} (${problem}): name a place that can be written to.`,
    )
}

function problemOf(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    if (!found) return newFileProblem(path)
    if (found.isDirectory()) return 'it is a folder'
    // A FIFO would wait for a reader for ever, and none of these can be replaced as a whole.
    if (found.isFIFO() || found.isSocket() || found.isBlockDevice()) return 'it is no regular file'
    if (isOwnOutput(found)) return 'the text of the run goes there'
    closeSync(openSync(path, 'r+'))
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** What keeps a file from being made. It is tried, since permissions alone do not tell: /proc and /sys take no file from root. */
function newFileProblem(path: string): string | undefined {
  if (isThere(path)) return 'it is a link to nothing'
  const folder = nearest(dirname(path))
  const draft = draftIn(folder)
  try {
    closeSync(openSync(draft, 'wx'))
    rmSync(draft)
    return undefined
  } catch (error) {
    return `${folder} takes no new file: ${(error as NodeJS.ErrnoException).code}`
  }
}

/** The path itself or the nearest above it that is there. */
const nearest = (path: string): string => (isThere(path) ? path : nearest(dirname(path)))

/** A link counts, also one to nothing. */
export function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

/** /dev/stdout, or the file or terminal to which the output of this process goes. */
function isOwnOutput(found: Stats): boolean {
  return [1, 2].some(fd => {
    const own = fstatSync(fd)
    return own.dev === found.dev && own.ino === found.ino && (found.isFile() || isatty(fd))
  })
}
