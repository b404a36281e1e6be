import { join } from 'node:path'
import type { z } from 'zod'
import {
  dayOf,
  entriesNotRun,
  entriesWithRoom,
  entryText,
  fixedEntries,
  judge,
  updatedKnown,
} from '../report/known.ts'
import { type KnownLeak, knownFileSchema } from '../report/known-leak.ts'
import type { ScenarioResult } from '../report/scenario-result.ts'
import { print } from '../terminal.ts'
import { currentFolder, inCurrentFolder } from './current-folder.ts'
import { UsageError } from './exit.ts'
import { readForm } from './read-form.ts'
import { isThere, requireWritable } from './writable.ts'
import { writeJson } from './write-file.ts'

export interface KnownOptions {
  /** `--known FILE`. */
  known?: string
  updateKnown?: boolean
}

/** A list of known leaks, and the file that it is in. */
export interface KnownFile extends z.infer<typeof knownFileSchema> {
  file: string
}

const usualName = 'leakrig.known.json'

/**
 * The known leaks of `--known`, or of the `leakrig.known.json` of the current folder; undefined where there are none, and none
 * are to be written.
 * @throws UsageError with every mistake of the file
 */
export function readKnown({ known: given, updateKnown = false }: KnownOptions): KnownFile | undefined {
  const file = given === undefined ? join(currentFolder(), usualName) : inCurrentFolder(given)
  if (updateKnown) requireWritable(file)
  if (isThere(file)) return { file, ...readForm(knownFileSchema, file, twice) }
  if (updateKnown) return { file, known: [] }
  if (given === undefined) return undefined
  throw new UsageError(
    `--known ${JSON.stringify(given)} does not exist: write it with --update-known, or name one that does.`,
  )
}

/** @throws UsageError where a shard would write the list: it knows only a part */
export function refuseUpdateOfShard({ updateKnown }: KnownOptions, isShard: boolean): void {
  if (updateKnown && isShard)
    throw new UsageError(
      '--update-known is refused with --shard: each shard knows only a part; give it to `leakrig report merge`.',
    )
}

interface Measured {
  results: readonly ScenarioResult[]
  /** The systems that were tested. */
  systems: readonly string[]
  /**
   * Where everything was run: the names of the scenarios that another command runs. An entry that no scenario has the name of
   * is there no more, either.
   */
  otherNames?: () => Promise<readonly string[]>
}

/**
 * After a run: its results, and the known leaks that are there no more, in sentences. With `--update-known` the list is written
 * as it is now, and the results are judged by that; that it could not be written is an error.
 */
export async function settleKnown(
  { updateKnown = false }: KnownOptions,
  list: KnownFile | undefined,
  measured: Measured,
): Promise<{ results: ScenarioResult[]; fixed: string[]; errors: string[] }> {
  const { results } = measured
  if (!list) return { results: [...results], fixed: [], errors: [] }
  const stale = await staleEntries(list.known, measured)
  if (!updateKnown) {
    const renamed = stale.map(one => `${entryText(one)}: no scenario has this name`)
    const fixed = [...fixedEntries(results, list.known), ...renamed]
    return { results: [...results], fixed, errors: [] }
  }
  const now = new Date()
  const gone = new Set(stale)
  const kept = list.known.filter(one => !gone.has(one))
  const known = updatedKnown(kept, results, now)
  const { file, ...rest } = list
  const judged = results.map(result => judge(result, known, dayOf(now)))
  if (!writeJson(file, { ...rest, known }, knownFileSchema))
    return { results: judged, fixed: [], errors: [`${file}, the list of known leaks, is not updated.`] }
  print(`known leaks: ${known.length} in ${file}; by this list the run is judged`)
  const room = entriesWithRoom(known, results).length
  if (room > 0)
    print(`fewer than known: ${room} of them; counts that do not vary from run to run can be lowered by hand`)
  return { results: judged, fixed: [], errors: [] }
}

async function staleEntries(
  known: readonly KnownLeak[],
  { results, systems, otherNames }: Measured,
): Promise<KnownLeak[]> {
  const notRun = otherNames ? entriesNotRun(results, known, systems) : []
  if (!otherNames || notRun.length === 0) return []
  const names = new Set(await otherNames())
  return notRun.filter(({ scenario }) => !names.has(scenario))
}

function twice({ known }: z.infer<typeof knownFileSchema>): string[] {
  const key = ({ system, scenario, mechanism }: KnownLeak) => JSON.stringify([system, scenario, mechanism])
  const firsts = new Map<string, number>()
  return known.flatMap((one, at) => {
    const first = firsts.get(key(one))
    if (first !== undefined) return `known[${at}]: says the same as known[${first}]; keep one of them`
    firsts.set(key(one), at)
    return []
  })
}
