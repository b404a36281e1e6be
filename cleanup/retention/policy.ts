import { CleanupError } from '../errors.ts'
import { parseBytes } from '../platform/bytes.ts'

/** What stays and for how long. One policy holds for all classes of files and for all workspaces of a run. */
export interface RetentionPolicy {
  /** Archives older than this many days are removed; fractions count. */
  keepDays: number
  /** The newest archives of each class in a workspace that always stay. */
  keepLast: number
  /** The oldest archives are removed until a workspace has no more bytes of them than this. */
  maxBytes?: number
  /** The oldest archives are removed until this much of the file system is free. */
  minFree?: { bytes: number } | { percent: number }
}

/** A policy as text, as on a command line; an option that is undefined has its default. */
export interface PolicyTexts {
  keepDays?: string | undefined
  keepLast?: string | undefined
  maxBytes?: string | undefined
  minFree?: string | undefined
}

/** Throws a CleanupError (`bad-argument`) that names the option and the expected form. */
export function parsePolicy(texts: PolicyTexts = {}): RetentionPolicy {
  const days = parse('keep-days', texts.keepDays, parseDays, 'one number of days, as in 7 or 0.5')
  const last = parse('keep-last', texts.keepLast, parseCount, 'one whole number')
  const maxBytes = parse('max-bytes', texts.maxBytes, parseBytes, 'one size, as in 500M or 2G')
  const minFree = parse(
    'min-free',
    texts.minFree,
    parseMinFree,
    'a size or a share of the file system, as in 1G or 5%',
  )
  return {
    keepDays: days ?? 7,
    keepLast: last ?? 0,
    ...(maxBytes !== undefined && { maxBytes }),
    ...(minFree && { minFree }),
  }
}

function parse<T>(
  option: string,
  text: string | undefined,
  read: (text: string) => T | undefined,
  expected: string,
): T | undefined {
  if (text === undefined) return undefined
  const value = read(text.trim())
  if (value !== undefined) return value
  throw new CleanupError(
    'bad-argument',
    `--${option} ${JSON.stringify(text)} is refused: expected ${expected}.`,
  )
}

const parseDays = (text: string): number | undefined =>
  /^\d{1,6}(\.\d+)?$/.test(text) ? Number(text) : undefined

const parseCount = (text: string): number | undefined => (/^\d{1,9}$/.test(text) ? Number(text) : undefined)

function parseMinFree(text: string): RetentionPolicy['minFree'] {
  const percent = /^(\d{1,2}(?:\.\d+)?)%$/.exec(text)?.[1]
  if (percent !== undefined) return { percent: Number(percent) }
  const bytes = parseBytes(text)
  return bytes === undefined ? undefined : { bytes }
}
