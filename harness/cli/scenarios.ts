import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../bin/programs.ts'
import { exitCodes, type Interruption } from '../report/exit-codes.ts'
import { beginning, makeReport } from '../report/report.ts'
import { isWatched, ScenarioReporter } from '../report/reporter.ts'
import { summaryText } from '../report/summary.ts'
import type { SandboxChoice } from '../sandbox/sandbox.ts'
import { chooseSandbox } from '../sandbox/start.ts'
import { print as printText } from '../terminal.ts'
import { chosenSystem, nameOf } from './chosen-systems.ts'
import { describedRun, isEverything } from './described-run.ts'
import { UsageError } from './exit.ts'
import { guardCommands } from './github.ts'
import { type KnownOptions, readKnown, refuseUpdateOfShard, settleKnown } from './known-file.ts'
import { neededBy } from './needs.ts'
import { type OutputOptions, requireOutputs, writeOutputs } from './outputs.ts'
import { requireProcessRoom } from './process-limit.ts'
import { runTests } from './run-tests.ts'
import { list, namesOfOther, print, requireFiles, requireNames } from './selection.ts'
import { openVitest, parseVitestFlags } from './vitest.ts'
import { testEnding } from './vitest-config.ts'

export interface ScenarioOptions extends KnownOptions, OutputOptions {
  system?: string
  config?: string
  sandbox: SandboxChoice
  mount?: string[]
  image?: string
  engine?: string[]
  workers?: number
  keep?: boolean
  verbose?: boolean
}

/** Options of Vitest that choose no scenarios. */
const choosesNothing: ReadonlySet<string> = new Set([
  '--',
  'color',
  'reporter',
  'outputFile',
  'shard',
  'maxWorkers',
])

/** The options of Vitest that may have left scenarios out, such as `-t` and `--bail`. */
function selectingFlags(flags: object): string[] {
  return Object.entries(flags).flatMap(([name, value]) =>
    choosesNothing.has(name) ? [] : `--${name} ${JSON.stringify(value)}`,
  )
}

/** What Vitest's parser adds by itself. */
const isHarmless: ReadonlySet<string> = new Set(['--', 'color'])

/** True for a filter that is a part of a scenario's file name. */
const isInFileName = (word: string): boolean =>
  readdirSync(join(projectRoot, 'scenarios'), { recursive: true, encoding: 'utf8' }).some(
    name => name.endsWith(testEnding) && join(projectRoot, 'scenarios', name).includes(word),
  )

/** A test file may start a system of its own in place of the one that `--system` names. */
function systemText(name: string, files: readonly string[]): string {
  const own = files.filter(file => /\.extend\(\s*['"]system['"]/.test(readFileSync(file, 'utf8')))
  if (own.length === 0) return name
  return own.length === files.length ? 'of the test file' : `${name} or that of the test file`
}

/** Refuses `--keep=1`: commander passes on what it does not know, and Vitest knows neither option. */
function requireNoValue(rest: readonly string[]): void {
  const [, name] = rest.map(word => /^(--(?:keep|list))=/.exec(word)).find(found => found !== null) ?? []
  if (name) throw new UsageError(`${name} takes no value: write ${name} alone.`)
}

/**
 * Runs the scenarios as Vitest tests, reports on them, and returns the exit code.
 * @param rest the arguments for Vitest: filters and its own options
 * @throws UsageError for an option that Vitest does not know, and a filter or pattern (`-t`) that matches no scenario
 */
export async function runScenarios(options: ScenarioOptions, rest: string[]): Promise<number> {
  const began = beginning()
  // A list is for programs, and has nothing from outside.
  if (!options.list) guardCommands()
  requireOutputs(options)
  requireNoValue(rest)
  const known = readKnown(options)
  const { system: wanted, ...files } = options
  const chosen = await chosenSystem({ ...files, ...(wanted !== undefined && { system: [wanted] }) })
  const needs = neededBy(options, chosen)
  // Before Vitest is loaded, because that starts threads.
  const mayBeCatalogue = rest.some(word => word.includes('catalogue'))
  requireProcessRoom(mayBeCatalogue ? 'catalogue' : 'scenarios', options.workers)
  const { filter, options: flags } = await parseVitestFlags(rest)
  refuseUpdateOfShard(options, flags.shard !== undefined)
  const isChosenByName = flags.testNamePattern !== undefined
  const reporter = new ScenarioReporter({
    system: nameOf(chosen),
    onlySkippedWithReason: isChosenByName,
    verbose: options.verbose ?? false,
    known: known?.known ?? [],
  })
  // The catalogue takes minutes, so it runs only when a filter names it.
  const named = filter.some(word => word.includes('catalogue'))
  // Starts a sandbox, for which an image may have to be built, while Vitest loads, unless Vitest may refuse an option or a
  // filter may match nothing.
  const choose = () => chooseSandbox(options.sandbox, named, needs)
  const mayBeRefused = Object.keys(flags).some(name => !isHarmless.has(name)) || !filter.every(isInFileName)
  const choosing = options.list || mayBeRefused ? undefined : choose()
  choosing?.catch(() => {})
  const projects = ['scenarios', ...(named ? ['catalogue'] : [])]
  const vitest = await openVitest(rest, {
    projects,
    reporter,
    workers: options.workers,
    engines: options.engine?.length,
  })
  let interrupted: Interruption | undefined
  try {
    await requireFiles(vitest, filter)
    if (options.list) {
      print(await list(vitest, filter))
      return exitCodes.passed
    }
    await requireNames(vitest, filter)
    const sandbox = await (choosing ?? choose())
    const tests = (await vitest.globTestSpecifications(filter)).map(({ moduleId }) => moduleId)
    const system = systemText(nameOf(chosen), tests)
    printText(`leakrig: system ${system}, sandbox ${sandbox.kind} (${sandbox.why})\n`)
    // To each project: vitest.config.ts provides defaults for `npm test` there, and those win over the root's.
    const { keep = false } = options
    const settings = { system: chosen, sandbox: sandbox.kind, needs, keep, live: isWatched() }
    for (const project of vitest.projects) project.provide('leakrig', settings)
    interrupted = await runTests(vitest, reporter, filter)
    const run = describedRun({
      command: 'scenarios',
      systems: [chosen],
      ...(options.config !== undefined && { config: options.config }),
      selection: [...filter, ...selectingFlags(flags)],
      ...(vitest.config.shard && { shard: vitest.config.shard }),
    })
    const { errors } = reporter
    const { results, fixed, ...settled } = await settleKnown(options, run.shard ? undefined : known, {
      results: reporter.results,
      systems: run.systems,
      ...(isEverything(run, interrupted, errors) && { otherNames: () => namesOfOther('scenarios') }),
    })
    const report = makeReport(
      { beginning: began, run, sandbox, interrupted, fixed },
      { results, errors: [...errors, ...settled.errors] },
    )
    printText(summaryText(report, options.verbose))
    return await writeOutputs(options, report)
  } finally {
    if (!interrupted) await vitest.close()
  }
}
