import { resolve } from 'node:path'

/** The folder of the project itself, which every sandbox sees read-only under the same path. */
export const projectRoot = resolve(import.meta.dirname, '../..')
