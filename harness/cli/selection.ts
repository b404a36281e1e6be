import type { Vitest } from 'vitest/node'
import { callOf } from '../../bin/programs.ts'
import { fileName } from '../report/file-name.ts'
import { ScenarioReporter } from '../report/reporter.ts'
import { oneLine, print as printText } from '../terminal.ts'
import { UsageError } from './exit.ts'
import { openVitest } from './vitest.ts'

/** The scenarios or cells that a filter and a pattern (`-t`) choose, by file. */
export interface Selected {
  file: string
  names: string[]
}

/** @throws UsageError for a filter that matches no file, and for more shards than files */
export async function requireFiles(vitest: Vitest, filter: string[]): Promise<void> {
  const all = await vitest.globTestSpecifications()
  for (const word of filter) {
    if ((await vitest.globTestSpecifications([word])).length > 0) continue
    const names = all.map(({ moduleId }) => fileName(moduleId)).sort(byNumber)
    throw new UsageError(
      `No scenario matches ${JSON.stringify(word)}; the scenarios are ${names.join(', ')}.`,
    )
  }
  const files = filter.length > 0 ? (await vitest.globTestSpecifications(filter)).length : all.length
  if (vitest.config.shard) requireShards(vitest.config.shard, files)
}

/** @throws UsageError for more shards than files */
export function requireShards({ count }: { count: number }, files: number): void {
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

/**
 * Every name of the catalogue that contains one of these words, or every name when there are no words.
 * @throws UsageError for a word that no name contains
 */
export async function listCells(words: string[]): Promise<Selected[]> {
  const setup = { projects: ['catalogue'], reporter: new ScenarioReporter(), names: words }
  const vitest = await openVitest([], setup)
  try {
    const selected = await select(vitest, [], false)
    const cells = selected.flatMap(one => one.names)
    const unknown = words.filter(word => !cells.some(cell => cell.includes(word)))
    if (unknown.length === 0) return selected
    throw new UsageError(
      `No cell's name contains ${unknown.map(word => JSON.stringify(word)).join(' or ')}; ${callOf('catalogue')} --list lists the names.`,
    )
  } finally {
    await vitest.close()
  }
}

/** The names of the scenarios that the other of the two commands runs. */
export async function namesOfOther(command: 'scenarios' | 'catalogue'): Promise<string[]> {
  const project = command === 'scenarios' ? 'catalogue' : 'scenarios'
  const vitest = await openVitest([], { projects: [project], reporter: new ScenarioReporter() })
  try {
    return (await select(vitest, [], false)).flatMap(({ names }) => names)
  } finally {
    await vitest.close()
  }
}

export function print(selected: Selected[]): void {
  for (const { file, names } of selected)
    printText([file, ...names.map(name => `  ${oneLine(name)}`)].join('\n'))
}

/** In the order of the files' names; Vitest orders them by their size and by how long they took. */
async function select(vitest: Vitest, filter: string[], staticParse: boolean): Promise<Selected[]> {
  const { testModules } = await vitest.collect(filter, { staticParse })
  const selected = testModules.flatMap(module => {
    // Vitest collects the tests that the pattern leaves out too, as skipped ones.
    const tests = [...module.children.allTests()].filter(({ options }) => options.mode !== 'skip')
    return tests.length > 0
      ? { file: fileName(module.moduleId), names: tests.map(({ fullName }) => fullName) }
      : []
  })
  return selected.sort((one, other) => byNumber(one.file, other.file))
}

const { compare: byNumber } = new Intl.Collator('en', { numeric: true })

function noName({ config: { shard, testNamePattern } }: Vitest): UsageError {
  return new UsageError(
    `No scenario's name${shard ? ' in this shard' : ''} matches ${JSON.stringify(testNamePattern?.source)}; ${callOf('scenarios')} --list lists the names.`,
  )
}
