import { realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { callOf } from '../../bin/programs.ts'
import { exitCodes } from '../report/exit-codes.ts'
import { junitXml } from '../report/junit.ts'
import { type Report, reportSchema, withoutTimelines } from '../report/report.ts'
import { print, shellWord } from '../terminal.ts'
import { inCurrentFolder } from './current-folder.ts'
import { UsageError } from './exit.ts'
import { showOnGithub } from './github.ts'
import { requireReportFolder, writeReportFolder } from './report-folder.ts'
import { requireWritable } from './writable.ts'
import { writeJson, writeText } from './write-file.ts'

/** Where the report of a run goes. */
export interface OutputOptions {
  /** `--json FILE`. */
  json?: string
  /** `--report FOLDER`. */
  report?: string
  /** `--junit FILE`. */
  junit?: string
  list?: boolean
}

/**
 * Checks before a run that its report can be written afterwards.
 * @throws UsageError when it cannot, and where a report is asked for and nothing is run
 */
export function requireOutputs(options: OutputOptions): void {
  const { json, report, junit, list = false } = options
  for (const [option, value] of Object.entries({ json, report, junit }))
    if (list && value !== undefined)
      throw new UsageError(
        `--${option} ${JSON.stringify(value)} is refused: a report is of a run, and --list runs nothing; leave one of them out.`,
      )
  refuseOneForTwo(options)
  for (const file of [json, junit]) if (file !== undefined) requireWritable(inCurrentFolder(file))
  if (report !== undefined) requireReportFolder(inCurrentFolder(report))
}

/** One output would be written over the other: also below the folder of the report, and by another way to the same place. */
function refuseOneForTwo({ json, report, junit }: OutputOptions): void {
  const named = [report, json, junit].flatMap(name => (name === undefined ? [] : inCurrentFolder(name)))
  const real = named.map(realOf)
  const twice = named.find((_, at) => real.indexOf(real[at] ?? '') < at)
  if (twice !== undefined)
    throw new UsageError(`Two outputs cannot be written to ${twice}: name a place for each.`)
  const folder = report === undefined ? undefined : `${realOf(inCurrentFolder(report))}${sep}`
  const inside = named.find((_, at) => folder !== undefined && real[at]?.startsWith(folder))
  if (inside !== undefined)
    throw new UsageError(
      `${inside} is in the folder of --report, which has only the files of the report: name a place outside of it.`,
    )
}

/** The path through all links, also of what is not there yet. */
function realOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // A link to nothing is refused later.
    return path === dirname(path) ? path : join(realOf(dirname(path)), basename(path))
  }
}

/**
 * Writes the report wherever it was asked for, prints where that is, and shows it on GitHub where the run is a step of a job.
 * @returns the exit code of the command: a run whose report could not be written does not pass
 */
export async function writeOutputs(options: OutputOptions, report: Report): Promise<number> {
  const { json, report: folder, junit } = options
  const written: OutputOptions = {
    ...(folder !== undefined &&
      (await writeReportFolder(inCurrentFolder(folder), report)) && { report: folder }),
    ...(json !== undefined &&
      writeJson(inCurrentFolder(json), withoutTimelines(report), reportSchema) && { json }),
    ...(junit !== undefined && writeText(inCurrentFolder(junit), junitXml(report)) && { junit }),
  }
  for (const line of writtenText(written)) print(line)
  showOnGithub(report)
  const asked = [json, folder, junit].filter(name => name !== undefined)
  const isWhole = Object.keys(written).length === asked.length
  return isWhole || report.exitCode !== exitCodes.passed ? report.exitCode : exitCodes.inconclusive
}

/** Where the report is, a line for each output; none for a device, such as /dev/null. */
export function writtenText({ report, json, junit }: OutputOptions): string[] {
  const isFile = (file: string) => statSync(inCurrentFolder(file), { throwIfNoEntry: false })?.isFile()
  const files = Object.entries({ json, junit }).flatMap(([name, file]) =>
    file !== undefined && isFile(file) ? `${name}: ${file}` : [],
  )
  if (report === undefined) return files
  return [`report: ${report} (${callOf('report open')} ${shellWord(report)})`, ...files]
}
