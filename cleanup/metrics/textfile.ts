import fs from 'node:fs'
import path from 'node:path'
import { CleanupError } from '../errors.ts'
import { replaceFile } from '../platform/files/replace-file.ts'

/**
 * Checks a file for node_exporter's textfile collector before anything is written: it reads only names that end with
 * .prom, and a misspelt folder would never be noticed. Throws a CleanupError (`bad-argument`).
 */
export function validateTextfile(file: string): string {
  const wrong = (expected: string) =>
    new CleanupError(
      'bad-argument',
      `The metrics file ${JSON.stringify(file)} is refused: expected ${expected}.`,
    )
  if (!path.isAbsolute(file)) throw wrong('an absolute path')
  if (!file.endsWith('.prom')) throw wrong('a name that ends with .prom, or node_exporter passes it over')
  if (!fs.statSync(path.dirname(file), { throwIfNoEntry: false })?.isDirectory())
    throw wrong('its folder to be there')
  return file
}

/**
 * Replaces the file as a whole, so that no half is ever collected: the text is written under a name that the collector
 * passes over, then renamed. One daemon per file, because two would use the same name.
 */
export function writeTextfile(file: string, text: string): void {
  replaceFile(file, text)
}
