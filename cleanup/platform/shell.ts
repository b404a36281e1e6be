import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Quotes a word for sh. Everything between single quotes is literal. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

/**
 * Quotes a word for the shell of `tmux run-shell`. tmux expands formats (#{...}, #H) first, by rules that depend on the
 * character after the "#", so the line must not contain any "#".
 */
export function quoteForRunShell(word: string): string {
  return quote(word).replaceAll('#', `'"$(printf '\\043')"'`)
}

/** Quotes a word for a person to paste into a shell, only where that is necessary. */
export function quoteForPeople(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : quote(word)
}

/**
 * The path of a program in the first of some folders that has it, or undefined. By default the folders are those of our own
 * PATH; the tmux server may have another one.
 */
export function findProgram(
  name: string,
  folders = (process.env.PATH ?? '').split(delimiter),
): string | undefined {
  return folders.map(folder => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
