import fs from 'node:fs'
import path from 'node:path'
import { CleanupError } from '../errors.ts'
import { replaceFile } from '../platform/files/replace-file.ts'

/**
 * Checks the path of a file for node_exporter's textfile collector, which reads only names that end with .prom and
 * reports no missing folder. Throws a CleanupError (`bad-argument`).
 */
export function validateTextfile(file: string): void {
  const wrong = (expected: string) =>
    new CleanupError(
      'bad-argument',
      `The metrics file ${JSON.stringify(file)} is refused: expected ${expected}.`,
    )
  if (!path.isAbsolute(file)) throw wrong('an absolute path')
  if (!file.endsWith('.prom'))
    throw wrong('a name that ends with .prom, because node_exporter ignores others')
  if (!fs.statSync(path.dirname(file), { throwIfNoEntry: false })?.isDirectory())
    throw wrong('an existing folder')
}

/**
 * Replaces the file atomically, so that the collector never reads half of one: the draft has a name that the collector
 * ignores. Each daemon needs a file of its own, because two would use the same draft. Throws file system errors.
 */
export function writeTextfile(file: string, text: string): void {
  replaceFile(file, text)
}
