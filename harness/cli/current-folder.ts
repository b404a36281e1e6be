import { resolve } from 'node:path'

/** The folder in which the user runs leakrig: npm runs its scripts in the folder of the package. */
export const currentFolder = (): string => process.env.INIT_CWD ?? process.cwd()

/** The path of a file that a user names. */
export const inCurrentFolder = (file: string): string => resolve(currentFolder(), file)
