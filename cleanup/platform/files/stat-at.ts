import fs from 'node:fs'
import { systemCode } from '../../errors.ts'

/** What the kernel says where something on the way is no folder, leads in a circle, or makes the path too long. */
const NO_WAY: ReadonlySet<string | undefined> = new Set(['ENOTDIR', 'ELOOP', 'ENAMETOOLONG'])

/**
 * What is at a path, a link itself and not what it leads to; undefined where nothing is. An agent can put a file in its
 * folder's place, and Node's `throwIfNoEntry: false` covers a missing name only. Throws other system errors (EACCES).
 */
export function statAt(file: string): fs.Stats | undefined {
  return orNothing(() => fs.lstatSync(file, { throwIfNoEntry: false }))
}

/** `statAt` with numbers that do not round. */
export function exactStatAt(file: string): fs.BigIntStats | undefined {
  return orNothing(() => fs.lstatSync(file, { throwIfNoEntry: false, bigint: true }))
}

function orNothing<T>(stat: () => T): T | undefined {
  try {
    return stat()
  } catch (error) {
    if (NO_WAY.has(systemCode(error))) return undefined
    throw error
  }
}
