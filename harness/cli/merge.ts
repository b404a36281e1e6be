import { join } from 'node:path'
import { catalogueTable } from '../report/catalogue.ts'
import { contradictions } from '../report/contradictions.ts'
import { dayOf, judge, unjudged } from '../report/known.ts'
import { mergedReport, missingShards, notOneRun, resultsOfShards, type ShardReport } from '../report/merge.ts'
import { type Report, reportSchema, timelinesSchema } from '../report/report.ts'
import { marks, scenarioText } from '../report/scenario-text.ts'
import { summaryText } from '../report/summary.ts'
import { print } from '../terminal.ts'
import { inCurrentFolder } from './current-folder.ts'
import { isEverything } from './described-run.ts'
import { UsageError } from './exit.ts'
import { guardCommands } from './github.ts'
import { type KnownOptions, readKnown, settleKnown } from './known-file.ts'
import { type OutputOptions, requireOutputs, writeOutputs } from './outputs.ts'
import { readForm, readJson } from './read-form.ts'
import { foundAt, reportFiles, reportLimit } from './report-folder.ts'
import { namesOfOther } from './selection.ts'
import { isThere } from './writable.ts'

export interface MergeOptions extends KnownOptions, OutputOptions {
  verbose?: boolean
}

/**
 * Makes one report of those of a run's shards, prints what did not pass, and returns the exit code of the whole. Known leaks
 * are judged here, by the list of the current folder or `--known`, and not by what each shard said.
 * @throws UsageError for reports that cannot be read, or are not of one run
 */
export async function mergeReports(options: MergeOptions, folders: string[]): Promise<number> {
  guardCommands()
  requireOutputs(options)
  const list = readKnown(options)
  const shards = folders.map(folder => readShard(inCurrentFolder(folder)))
  const reason = notOneRun(shards)
  if (reason) throw new UsageError(`The reports cannot be merged: ${reason}.`)
  const found = resultsOfShards(shards)
  if (!list && found.some(({ verdict }) => verdict === 'known'))
    throw new UsageError(
      'The shards found known leaks, and the merge has no list of them: run it in the folder of the leakrig.known.json, or name that with --known.',
    )
  const today = dayOf(new Date())
  const results = found.map(unjudged).map(one => judge(one, list?.known ?? [], today))
  const { run, systems, errors } = mergedReport(shards, { results })
  const { command } = run
  // What is fixed shows only in the whole.
  const isWhole = missingShards(shards).length === 0
  const settled = await settleKnown(options, list, {
    results,
    systems: [...new Set([...run.systems, ...systems])],
    ...(command !== 'soak' && // which has no shards
      isEverything(run, undefined, errors) && { otherNames: () => namesOfOther(command) }),
  })
  const fixed = isWhole ? settled.fixed : []
  const report = mergedReport(shards, { ...settled, fixed })
  printReport(report, options)
  return await writeOutputs(options, report)
}

function printReport(report: Report, { verbose = false }: MergeOptions): void {
  const { scenarios, errors } = report
  for (const result of scenarios)
    if (result.verdict !== 'pass' && result.verdict !== 'skipped')
      print(`${marks[result.verdict]} ${scenarioText(result, verbose)}`)
  for (const text of errors) print(`${marks.inconclusive} ${text}`)
  print(summaryText(report, verbose))
  if (report.run.command === 'catalogue') print(`\n${catalogueTable(report)}`)
}

/** Reads the report of a folder that `--report` made, with its time lines if they are there, or a file of `--json`. */
function readShard(from: string): ShardReport {
  const there = foundAt(from)
  if (typeof there === 'string')
    throw new UsageError(`${from} cannot be merged: ${there}; name folders that --report made.`)
  const isFolder = there.isDirectory()
  const file = isFolder ? join(from, reportFiles.report) : from
  if (!isThere(file))
    throw new UsageError(`${from} has no ${reportFiles.report}: name a folder that --report made.`)
  requireVersion(file)
  const report = readForm(reportSchema, file, contradictions, reportLimit)
  const timelines = join(from, reportFiles.timelines)
  if (!isFolder || !isThere(timelines)) return { from, report }
  const lines = readForm(timelinesSchema, timelines, undefined, reportLimit).timelines
  return {
    from,
    report: { ...report, scenarios: report.scenarios.map(one => ({ ...one, ...timelineOf(one, lines) })) },
  }
}

type Lines = ReturnType<typeof timelinesSchema.parse>['timelines']

function timelineOf(
  { system, name }: { system: string; name: string },
  lines: Lines,
): Pick<Lines[number], 'timeline'> {
  const line = lines.find(one => one.system === system && one.name === name)
  return line?.timeline ? { timeline: line.timeline } : {}
}

/** A report of another form has many mistakes, and one reason. */
function requireVersion(file: string): void {
  const expected = reportSchema.shape.schemaVersion.value
  const data = readJson(file, reportLimit) as { schemaVersion?: unknown } | null
  const found = data?.schemaVersion
  if (typeof found !== 'number' || found === expected) return
  throw new UsageError(
    `${file} has schemaVersion ${found}, and this leakrig reads ${expected}: merge with the version that made the report.`,
  )
}
