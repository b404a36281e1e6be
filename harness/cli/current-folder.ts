import { resolve } from 'node:path'
import { UsageError } from './exit.ts'

/** The folder in which the user runs leakrig: npm runs its scripts in the folder of the package. */
export const currentFolder = (): string => process.env.INIT_CWD ?? process.cwd()

/**
 * The path of a file or a folder that a user names.
 * @throws UsageError for an empty name, as a variable that is not set gives one: it would be the current folder
 */
export function inCurrentFolder(name: string): string {
  if (name === '')
    throw new UsageError('An empty name is refused: name a file or a folder; . is the current one.')
  return resolve(currentFolder(), name)
}
