import { catalogueTable } from '../report/catalogue.ts'
import { exitCodes, type Interruption } from '../report/exit-codes.ts'
import type { KnownLeak } from '../report/known-leak.ts'
import { beginning, makeReport, type Report, type Shard } from '../report/report.ts'
import { isWatched, ScenarioReporter } from '../report/reporter.ts'
import type { ScenarioResult } from '../report/scenario-result.ts'
import { fixedText, summaryText } from '../report/summary.ts'
import type { SandboxChoice } from '../sandbox/sandbox.ts'
import { chooseSandbox } from '../sandbox/start.ts'
import { print as printText } from '../terminal.ts'
import { type Chosen, chosenSystems, nameOf } from './chosen-systems.ts'
import { describedRun, isEverything } from './described-run.ts'
import { guardCommands } from './github.ts'
import { type KnownOptions, readKnown, refuseUpdateOfShard, settleKnown } from './known-file.ts'
import { neededBy } from './needs.ts'
import { type OutputOptions, requireOutputs, writeOutputs } from './outputs.ts'
import { requireProcessRoom } from './process-limit.ts'
import { runTests } from './run-tests.ts'
import { listCells, namesOfOther, print, requireShards } from './selection.ts'
import { openVitest } from './vitest.ts'

export interface CatalogueOptions extends KnownOptions, OutputOptions {
  system?: string[]
  config?: string
  sandbox: SandboxChoice
  mount?: string[]
  image?: string
  engine?: string[]
  workers?: number
  keep?: boolean
  verbose?: boolean
  shard?: Shard
}

/**
 * Runs the catalogue against each system in turn, prints the table of shapes and systems, and returns the exit code. With
 * `list` it prints the names of the cells and runs none.
 * @param filter parts of the names of cells; an empty list runs them all
 * @throws UsageError when the filter matches no cell
 */
export async function runCatalogue(options: CatalogueOptions, filter: string[]): Promise<number> {
  const began = beginning()
  // A list is for programs, and has nothing from outside.
  if (!options.list) guardCommands()
  requireOutputs(options)
  refuseUpdateOfShard(options, options.shard !== undefined)
  const known = readKnown(options)
  const systems = await chosenSystems(options)
  const needs = systems.map(system => neededBy(options, system))[0]
  requireProcessRoom('catalogue', options.workers)
  // Before anything is printed or started. Without a filter every cell is run, and the names need not be read.
  const cells = options.list || filter.length > 0 || options.shard ? await listCells(filter) : []
  if (options.list) {
    print(cells)
    return exitCodes.passed
  }
  if (options.shard) requireShards(options.shard, cells.length)
  const sandbox = await chooseSandbox(options.sandbox, true, needs)
  const run = describedRun({
    command: 'catalogue',
    systems,
    ...(options.config !== undefined && { config: options.config }),
    selection: filter,
    ...(options.shard && { shard: options.shard }),
  })
  const files = filter.length > 0 ? cells.map(({ file }) => file) : []
  const measured: Measured = { results: [], errors: [], interrupted: undefined }
  for (const system of systems) {
    const one = await runOne({ system, sandbox, run, files }, options, known?.known)
    measured.results.push(...one.results)
    measured.errors.push(...one.errors)
    measured.interrupted = one.interrupted
    if (one.interrupted) break
  }
  const { errors, interrupted } = measured
  const { results, fixed, ...settled } = await settleKnown(options, run.shard ? undefined : known, {
    results: measured.results,
    systems: run.systems,
    ...(isEverything(run, interrupted, errors) && { otherNames: () => namesOfOther('catalogue') }),
  })
  const report = makeReport(
    { beginning: began, run, sandbox, interrupted, fixed },
    { results, errors: [...errors, ...settled.errors] },
  )
  printText(['', catalogueTable(report), ...fixedText(report)].join('\n'))
  return await writeOutputs(options, report)
}

interface Measured {
  results: ScenarioResult[]
  errors: string[]
  interrupted: Interruption | undefined
}

/** What is run against one system. */
interface Part extends Pick<Report, 'run' | 'sandbox'> {
  system: Chosen
  /** The files with cells that a filter names; all where there is none. */
  files: string[]
}

async function runOne(
  { system, sandbox, run, files }: Part,
  { workers, keep = false, verbose = false, ...rest }: CatalogueOptions,
  known: readonly KnownLeak[] = [],
): Promise<Measured> {
  const began = beginning()
  const { selection, shard } = run
  const reporter = new ScenarioReporter({
    system: nameOf(system),
    onlySkippedWithReason: selection.length > 0,
    verbose,
    known,
  })
  const flags = shard ? ['--shard', `${shard.index}/${shard.count}`] : []
  const vitest = await openVitest(flags, {
    projects: ['catalogue'],
    reporter,
    workers,
    names: selection,
    engines: rest.engine?.length,
  })
  let interrupted: Interruption | undefined
  try {
    printText(`leakrig: catalogue, system ${nameOf(system)}, sandbox ${sandbox.kind} (${sandbox.why})\n`)
    const settings = { system, sandbox: sandbox.kind, needs: neededBy(rest, system), keep, live: isWatched() }
    for (const project of vitest.projects) project.provide('leakrig', settings)
    interrupted = await runTests(vitest, reporter, files)
    const { results, errors } = reporter
    printText(
      `${summaryText(makeReport({ beginning: began, run, sandbox, interrupted }, reporter), verbose)}\n`,
    )
    return { results, errors, interrupted }
  } finally {
    if (!interrupted) await vitest.close()
  }
}
