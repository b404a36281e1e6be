import type { Vitest } from 'vitest/node'
import { projectRoot } from '../../bin/programs.ts'
import { UsageError } from './exit.ts'

/** The scenarios that a filter and a pattern (`-t`) choose, by file. */
export interface Selected {
  file: string
  names: string[]
}

/** @throws UsageError for a filter that matches no file, and for more shards than files */
export async function requireFiles(vitest: Vitest, filter: string[]): Promise<void> {
  const all = await vitest.globTestSpecifications()
  for (const word of filter) {
    if ((await vitest.globTestSpecifications([word])).length > 0) continue
    const names = all.map(({ moduleId }) => moduleId.slice(projectRoot.length + 1))
    throw new UsageError(
      `No scenario matches ${JSON.stringify(word)}; the scenarios are ${names.join(', ')}.`,
    )
  }
  const files = filter.length > 0 ? (await vitest.globTestSpecifications(filter)).length : all.length
  const count = vitest.config.shard?.count ?? 1
  if (count > files)
    throw new UsageError(
      `${count} shards are more than there are files of scenarios (${files}): use fewer shards.`,
    )
}

/**
 * The names are first read from the files' text. The files are run only when none matches, because names may be
 * generated.
 * @throws UsageError when no scenario's name matches the pattern
 */
export async function requireNames(vitest: Vitest, filter: string[]): Promise<void> {
  if (!vitest.config.testNamePattern) return
  for (const staticParse of [true, false]) if ((await select(vitest, filter, staticParse)).length > 0) return
  throw noName(vitest)
}

/** @throws UsageError when the pattern matches no scenario */
export async function list(vitest: Vitest, filter: string[]): Promise<Selected[]> {
  // The files are run, because the catalogue's tests are generated.
  const selected = await select(vitest, filter, false)
  if (vitest.config.testNamePattern && selected.length === 0) throw noName(vitest)
  return selected
}

async function select(vitest: Vitest, filter: string[], staticParse: boolean): Promise<Selected[]> {
  const { testModules } = await vitest.collect(filter, { staticParse })
  return testModules.flatMap(module => {
    // Vitest collects the tests that the pattern leaves out too, as skipped ones.
    const tests = [...module.children.allTests()].filter(({ options }) => options.mode !== 'skip')
    return tests.length > 0
      ? { file: module.relativeModuleId, names: tests.map(({ fullName }) => fullName) }
      : []
  })
}

function noName({ config: { shard, testNamePattern } }: Vitest): UsageError {
  return new UsageError(
    `No scenario's name${shard ? ' in this shard' : ''} matches ${JSON.stringify(testNamePattern?.source)}; leakrig scenarios --list lists the names.`,
  )
}
