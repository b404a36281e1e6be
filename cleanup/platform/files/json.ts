import { decodeUtf8, parseJson } from '../json/parse.ts'
import { readWithin } from './regular-file.ts'

export type Json = Record<string, unknown>

/** True for a plain JSON object. */
export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value if it is a string, otherwise the empty one. String() would call methods of an object that another program wrote. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The largest size of a file with few fields, in bytes: a health file, a hold, a record of claude's. */
export const SMALL_BYTES = 1 << 20

/** The object in a file of a workspace, of at most SMALL_BYTES; undefined when the file does not exist. Throws for anything else. */
export function readSmallJson(root: string, file: string): Json | undefined {
  const bytes = readWithin(root, file, SMALL_BYTES)
  if (bytes === undefined) return undefined
  const found = parseJson(decodeUtf8(bytes))
  if (!isJson(found)) throw new Error('it is JSON, but not an object')
  return found
}
