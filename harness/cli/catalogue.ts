import { catalogueTable } from '../report/catalogue.ts'
import { exitCodes } from '../report/exit-codes.ts'
import type { KnownLeak } from '../report/known-leak.ts'
import { beginning, makeReport, type Report, withoutTimelines } from '../report/report.ts'
import { ScenarioReporter } from '../report/reporter.ts'
import { summaryText } from '../report/summary.ts'
import type { SandboxChoice } from '../sandbox/sandbox.ts'
import { type ChosenSandbox, chooseSandbox } from '../sandbox/start.ts'
import { print as printText } from '../terminal.ts'
import { type Chosen, chosenSystems, nameOf } from './chosen-systems.ts'
import { requireNoReport, requireWritable, writeJson } from './json-file.ts'
import { type KnownOptions, readKnown, settleKnown } from './known-file.ts'
import { neededBy } from './needs.ts'
import { requireProcessRoom } from './process-limit.ts'
import { requireReportFolder, writeReportFolder } from './report-folder.ts'
import { runTests } from './run-tests.ts'
import { listCells, print } from './selection.ts'
import { openVitest } from './vitest.ts'

export interface CatalogueOptions extends KnownOptions {
  system?: string[]
  config?: string
  sandbox: SandboxChoice
  mount?: string[]
  image?: string
  engine?: string[]
  workers?: number
  json?: string
  report?: string
  keep?: boolean
  verbose?: boolean
  list?: boolean
}

/**
 * Runs the catalogue against each system in turn, prints the table of shapes and systems, and returns the exit code. With
 * `list` it prints the names of the cells and runs none.
 * @param filter parts of the names of cells; an empty list runs them all
 * @throws UsageError when the filter matches no cell
 */
export async function runCatalogue(options: CatalogueOptions, filter: string[]): Promise<number> {
  const began = beginning()
  requireNoReport(options)
  if (options.json) requireWritable(options.json)
  if (options.report) requireReportFolder(options.report)
  const known = readKnown(options)
  const systems = await chosenSystems(options)
  const needs = systems.map(system => neededBy(options, system))[0]
  requireProcessRoom('catalogue', options.workers)
  // Before anything is printed or started. Without a filter every cell is run, and the names need not be read.
  const cells = options.list || filter.length > 0 ? await listCells(filter) : []
  if (options.list) {
    print(cells)
    return exitCodes.passed
  }
  const sandbox = await chooseSandbox(options.sandbox, true, needs)
  const measured: Pick<ScenarioReporter, 'results' | 'errors'> = { results: [], errors: [] }
  let interrupted: NodeJS.Signals | undefined
  for (const system of systems) {
    const run = await runOne(system, sandbox, options, filter, known?.known)
    measured.results.push(...run.scenarios)
    measured.errors.push(...run.errors)
    interrupted = run.interrupted
    if (interrupted) break
  }
  const { results, fixed } = settleKnown(options, known, measured.results)
  const { errors } = measured
  const report = makeReport({ beginning: began, sandbox, interrupted, fixed }, { results, errors })
  printText(`\n${catalogueTable(report)}`)
  if (options.json) writeJson(options.json, withoutTimelines(report))
  if (options.report) writeReportFolder(options.report, report)
  return report.exitCode
}

async function runOne(
  system: Chosen,
  sandbox: ChosenSandbox,
  { workers, keep = false, verbose = false, ...rest }: CatalogueOptions,
  filter: string[],
  known: readonly KnownLeak[] = [],
): Promise<Report> {
  const began = beginning()
  const reporter = new ScenarioReporter({
    system: nameOf(system),
    onlySkippedWithReason: filter.length > 0,
    verbose,
    known,
  })
  const vitest = await openVitest([], {
    projects: ['catalogue'],
    reporter,
    workers,
    names: filter,
    engines: rest.engine?.length,
  })
  let interrupted: NodeJS.Signals | undefined
  try {
    printText(`leakrig: catalogue, system ${nameOf(system)}, sandbox ${sandbox.kind} (${sandbox.why})\n`)
    const settings = { system, sandbox: sandbox.kind, needs: neededBy(rest, system), keep }
    for (const project of vitest.projects) project.provide('leakrig', settings)
    interrupted = await runTests(vitest, reporter)
    const report = makeReport({ beginning: began, sandbox, interrupted }, reporter)
    printText(`${summaryText(report)}\n`)
    return report
  } finally {
    if (!interrupted) await vitest.close()
  }
}
