import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** For sh: everything between single quotes is literal. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

/** The same for `tmux run-shell`. It expands formats (#{...}, #H) before the shell sees the line, by rules that depend on what follows the "#", so no "#" may stand in it. */
export function quoteForRunShell(word: string): string {
  return quote(word).replaceAll('#', `'"$(printf '\\043')"'`)
}

/** The same for a person to paste: a plain word stays as it is. */
export function quoteForPeople(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : quote(word)
}

/** A program's path by our own PATH: the tmux server may have been started with another. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
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
