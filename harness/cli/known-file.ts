import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { issueText } from '../definition/issue-text.ts'
import { dayOf, fixedEntries, judge, updatedKnown } from '../report/known.ts'
import type { KnownLeak, KnownMechanism } from '../report/known-leak.ts'
import type { ScenarioResult } from '../report/scenario-result.ts'
import { print } from '../terminal.ts'
import { mechanisms } from '../verdict/mechanisms.ts'
import { currentFolder } from './current-folder.ts'
import { UsageError } from './exit.ts'
import { requireWritable, writeJson } from './json-file.ts'

export interface KnownOptions {
  /** `--known FILE`. */
  known?: string
  updateKnown?: boolean
}

/** A list of known leaks, and the file that it is in. */
export interface KnownFile {
  file: string
  known: KnownLeak[]
}

const usualName = 'leakrig.known.json'

/** The most mistakes that are listed. */
const mostShown = 50

const names = [...Object.keys(mechanisms), 'expectation'] as KnownMechanism[]
const text = z.string().trim().min(1, 'expected some text, and found none')

const schema = z.strictObject({
  known: z.array(
    z.strictObject({
      system: text,
      scenario: text,
      mechanism: z.enum(names),
      count: z.int().positive(),
      reason: text,
      expires: z.iso.date('expected a day such as "2027-01-31"'),
    }),
  ),
})

/**
 * The known leaks of `--known`, or of the `leakrig.known.json` of the current folder; undefined where there are none, and none
 * are to be written.
 * @throws UsageError with every mistake of the file
 */
export function readKnown({ known: given, updateKnown = false }: KnownOptions): KnownFile | undefined {
  const folder = currentFolder()
  const file = given === undefined ? join(folder, usualName) : resolve(folder, given)
  if (updateKnown) requireWritable(file)
  if (existsSync(file)) return { file, known: check(file, parse(file)) }
  if (updateKnown) return { file, known: [] }
  if (given === undefined) return undefined
  throw new UsageError(
    `--known ${JSON.stringify(given)} does not exist: write it with --update-known, or name one that does.`,
  )
}

/**
 * After a run: its results, and the known leaks that are there no more, in sentences. With `--update-known` the list is written
 * as it is now, and the results are judged by that.
 */
export function settleKnown(
  { updateKnown = false }: KnownOptions,
  list: KnownFile | undefined,
  results: readonly ScenarioResult[],
): { results: ScenarioResult[]; fixed: string[] } {
  if (!list) return { results: [...results], fixed: [] }
  if (!updateKnown) return { results: [...results], fixed: fixedEntries(results, list.known) }
  const now = new Date()
  const known = updatedKnown(list.known, results, now)
  writeJson(list.file, { known })
  print(`known leaks: ${known.length} in ${list.file}`)
  return { results: results.map(result => judge(result, known, dayOf(now))), fixed: [] }
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`${file} cannot be read as JSON: ${(error as Error).message}.`)
  }
}

function check(file: string, data: unknown): KnownLeak[] {
  const parsed = schema.safeParse(data)
  const mistakes = parsed.success
    ? twice(parsed.data.known)
    : parsed.error.issues.map(issue => issueText(issue, data))
  if (parsed.success && mistakes.length === 0) return parsed.data.known
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`
  const more = mistakes.length > mostShown ? [`  and ${mistakes.length - mostShown} more`] : []
  throw new UsageError(
    [`${file} has ${count}:`, ...mistakes.slice(0, mostShown).map(mistake => `  ${mistake}`), ...more].join(
      '\n',
    ),
  )
}

function twice(known: readonly KnownLeak[]): string[] {
  const key = ({ system, scenario, mechanism }: KnownLeak) => JSON.stringify([system, scenario, mechanism])
  const keys = known.map(key)
  return keys.flatMap((one, at) =>
    keys.indexOf(one) < at
      ? `known[${at}]: says the same as known[${keys.indexOf(one)}]; keep one of them`
      : [],
  )
}
