import { CleanupError } from '../errors.ts'
import { parseBytes } from '../platform/bytes.ts'
import { LOG_CLASSES, type LogClass } from './classes.ts'

export const COMPRESSIONS = ['none', 'zstd', 'gzip'] as const
type Compression = (typeof COMPRESSIONS)[number]

/** What stays and for how long. Everything else about a file (whose it is, who writes it) is no matter of policy. */
export interface RetentionPolicy {
  /** Older ones go; in days, fractions too. */
  keepDays: Record<LogClass, number>
  /** So many of the newest of a class stay, whatever else is asked for. */
  keepLast: Record<LogClass, number>
  /** The oldest go until a workspace's archives are no larger, in bytes; `all` is for the classes together. */
  maxBytes: Partial<Record<LogClass | 'all', number>>
  /** The oldest go until so much of the file system is free. */
  minFree?: { bytes: number } | { percent: number }
  compress: Compression
}

/** A policy as it is written on a command line or in a file; what is not said is as by default. */
export interface PolicyTexts {
  keepDays?: string | undefined
  keepLast?: string | undefined
  maxBytes?: string | undefined
  minFree?: string | undefined
  compress?: string | undefined
}

const KEEP_DAYS = 7

/** Reads a policy. Throws a CleanupError (`bad-argument`) that names the option and what was expected. */
export function parsePolicy(texts: PolicyTexts = {}): RetentionPolicy {
  const { minFree, compress = 'none' } = texts
  if (!isCompression(compress))
    throw wrong('compress', compress, `expected one of ${COMPRESSIONS.join(', ')}`)
  const keepDays = perClass('keep-days', texts.keepDays, parseDays)
  const keepLast = perClass('keep-last', texts.keepLast, parseCount)
  return {
    keepDays: forAll(keepDays, KEEP_DAYS),
    keepLast: forAll(keepLast, 0),
    maxBytes: perClass('max-bytes', texts.maxBytes, parseBytes),
    ...(minFree !== undefined && { minFree: parseMinFree(minFree) }),
    compress,
  }
}

type PerClass = Partial<Record<LogClass | 'all', number>>

/** Reads `7`, `stream=3,findings=30`, or both: `7,findings=30`. */
function perClass(option: string, text: string | undefined, parse: (value: string) => number): PerClass {
  const found: PerClass = {}
  for (const part of text?.split(',') ?? []) {
    const [, name = 'all', value = ''] = /^\s*(?:([a-z]+)=)?(.*?)\s*$/.exec(part) ?? []
    if (!isClass(name)) throw wrong(option, part, `expected one of ${LOG_CLASSES.join(', ')} before the "="`)
    if (found[name] !== undefined) throw wrong(option, text ?? '', `expected ${name} to be said once`)
    try {
      found[name] = parse(value)
    } catch (error) {
      throw wrong(option, part, error instanceof CleanupError ? error.message : String(error))
    }
  }
  return found
}

function forAll({ all, ...classes }: PerClass, otherwise: number): Record<LogClass, number> {
  const rest = all ?? otherwise
  return { stream: rest, progress: rest, findings: rest, deploy: rest, ...classes }
}

function parseDays(text: string): number {
  if (/^\d{1,6}(\.\d+)?$/.test(text)) return Number(text)
  throw new CleanupError('bad-argument', 'expected days, as in 7 or 0.5')
}

function parseCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new CleanupError('bad-argument', 'expected a whole number')
}

function parseMinFree(text: string): { bytes: number } | { percent: number } {
  const percent = /^(\d{1,2}(?:\.\d+)?)%$/.exec(text.trim())?.[1]
  if (percent !== undefined) return { percent: Number(percent) }
  try {
    return { bytes: parseBytes(text) }
  } catch {
    throw wrong('min-free', text, 'expected a size or a part of the file system, as in 1G or 5%')
  }
}

const isClass = (name: string): name is LogClass | 'all' =>
  name === 'all' || LOG_CLASSES.some(known => known === name)
const isCompression = (text: string): text is Compression => COMPRESSIONS.some(known => known === text)

function wrong(option: string, value: string, expected: string): CleanupError {
  return new CleanupError('bad-argument', `${option} ${JSON.stringify(value)} is refused: ${expected}.`)
}
