import { join } from 'node:path'

/** The path of a script below this folder. A bundle has copies of the scripts in the same places below its own folder. */
export const ownFile = (name: string): string => join(import.meta.dirname, name)
