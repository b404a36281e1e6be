import { type Report, reportSchema, withoutTimelines } from '../report/report.ts'
import { UsageError } from './exit.ts'
import { requireWritable, writeJson } from './json-file.ts'
import { requireReportFolder, writeReportFolder } from './report-folder.ts'

/** Where the report of a run goes. */
export interface OutputOptions {
  /** `--json FILE`. */
  json?: string
  /** `--report FOLDER`. */
  report?: string
  list?: boolean
}

/**
 * Checks before a run that its report can be written afterwards.
 * @throws UsageError when it cannot, and where a report is asked for and nothing is run
 */
export function requireOutputs({ json, report, list = false }: OutputOptions): void {
  for (const [option, value] of Object.entries({ json, report }))
    if (list && value !== undefined)
      throw new UsageError(
        `--${option} ${JSON.stringify(value)} is refused: a report is of a run, and --list runs nothing; leave one of them out.`,
      )
  if (json !== undefined) requireWritable(json)
  if (report !== undefined) requireReportFolder(report)
}

/** Writes the report wherever it was asked for. */
export async function writeOutputs({ json, report: folder }: OutputOptions, report: Report): Promise<void> {
  if (json !== undefined) writeJson(json, withoutTimelines(report), reportSchema)
  if (folder !== undefined) await writeReportFolder(folder, report)
}
