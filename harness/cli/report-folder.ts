import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { reportPage } from '../report/page.ts'
import { type Report, reportSchema, timelinesSchema, withoutTimelines } from '../report/report.ts'
import { soakSvg } from '../report/soak-svg.ts'
import { makeTrace } from '../report/trace.ts'
import { UsageError } from './exit.ts'
import { requireWritable, writeJson, writeText } from './json-file.ts'

/** The files of a report. */
export const reportFiles = {
  page: 'index.html',
  report: 'report.json',
  timelines: 'timelines.json',
  trace: 'trace.json',
  plot: 'soak.svg',
} as const

/**
 * Checks before a run that its report can be written into a folder: one that does not exist yet, is empty, or has an older report.
 * @throws UsageError otherwise, so that nobody's files are overwritten
 */
export function requireReportFolder(folder: string): void {
  const path = resolve(folder)
  if (!existsSync(path)) {
    requireWritable(path)
    return
  }
  if (!statSync(path).isDirectory())
    throw new UsageError(`The report cannot be written to ${path}, which is a file: name a folder.`)
  requireWritable(join(path, reportFiles.report))
  if (readdirSync(path).length === 0 || isReport(join(path, reportFiles.report))) return
  throw new UsageError(
    `The report cannot be written to ${path}, which has files and no report of leakrig: name a folder that is empty or does not exist.`,
  )
}

/** Writes a report with its time lines, its trace and its page. */
export async function writeReportFolder(folder: string, report: Report): Promise<void> {
  const path = resolve(folder)
  mkdirSync(path, { recursive: true })
  const timelines = report.scenarios.map(({ system, name, timeline }) => ({ system, name, timeline }))
  writeJson(join(path, reportFiles.report), withoutTimelines(report), reportSchema)
  writeJson(
    join(path, reportFiles.timelines),
    { schemaVersion: report.schemaVersion, timelines },
    timelinesSchema,
  )
  writeJson(join(path, reportFiles.trace), makeTrace(report))
  for (const { soak, system } of report.scenarios)
    if (soak) writeText(join(path, reportFiles.plot), soakSvg(soak, system))
  writeText(join(path, reportFiles.page), await reportPage(report))
}

/**
 * The page of a report.
 * @throws UsageError for a folder that does not exist, and one without a report or without a page
 */
export function pageOf(folder: string): string {
  const path = resolve(folder)
  const wrong = (what: string, next: string) =>
    new UsageError(`The report ${path} cannot be opened: ${what}; ${next}.`)
  const written = 'name a folder that --report made'
  if (!existsSync(path)) throw wrong('it does not exist', written)
  if (!statSync(path).isDirectory()) throw wrong('it is a file', written)
  if (!isReport(join(path, reportFiles.report)))
    throw wrong(`it has no ${reportFiles.report} of leakrig`, written)
  const page = join(path, reportFiles.page)
  if (!statSync(page, { throwIfNoEntry: false })?.isFile())
    throw wrong(`it has no ${reportFiles.page}`, 'make it anew with --report')
  return page
}

function isReport(file: string): boolean {
  try {
    const { schemaVersion, scenarios } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Report>
    return typeof schemaVersion === 'number' && Array.isArray(scenarios)
  } catch {
    return false
  }
}
