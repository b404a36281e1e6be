import { junitXml } from '../report/junit.ts'
import { type Report, reportSchema, withoutTimelines } from '../report/report.ts'
import { inCurrentFolder } from './current-folder.ts'
import { UsageError } from './exit.ts'
import { showOnGithub } from './github.ts'
import { requireWritable, writeJson, writeText } from './json-file.ts'
import { requireReportFolder, writeReportFolder } from './report-folder.ts'

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
export function requireOutputs({ json, report, junit, list = false }: OutputOptions): void {
  for (const [option, value] of Object.entries({ json, report, junit }))
    if (list && value !== undefined)
      throw new UsageError(
        `--${option} ${JSON.stringify(value)} is refused: a report is of a run, and --list runs nothing; leave one of them out.`,
      )
  for (const file of [json, junit]) if (file !== undefined) requireWritable(inCurrentFolder(file))
  if (report !== undefined) requireReportFolder(inCurrentFolder(report))
}

/** Writes the report wherever it was asked for, and shows it on GitHub where the run is a step of a job. */
export async function writeOutputs(
  { json, report: folder, junit }: OutputOptions,
  report: Report,
): Promise<void> {
  if (json !== undefined) writeJson(inCurrentFolder(json), withoutTimelines(report), reportSchema)
  if (folder !== undefined) await writeReportFolder(inCurrentFolder(folder), report)
  if (junit !== undefined) writeText(inCurrentFolder(junit), junitXml(report))
  showOnGithub(report)
}
