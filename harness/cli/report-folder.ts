import { existsSync, readdirSync, type Stats, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { mega, readRegular } from '../read-regular.ts'
import { reportPage } from '../report/page.ts'
import { type Report, reportSchema, timelinesSchema, withoutTimelines } from '../report/report.ts'
import { scenarioResultSchema } from '../report/scenario-result.ts'
import { soakSvg } from '../report/soak-svg.ts'
import { makeTrace } from '../report/trace.ts'
import { UsageError } from './exit.ts'
import { requireOwnFile, requireWritable } from './writable.ts'
import { putByName, writeJson, writeText } from './write-file.ts'

/** The files of a report. */
export const reportFiles = {
  page: 'index.html',
  report: 'report.json',
  timelines: 'timelines.json',
  trace: 'trace.json',
  plot: 'soak.svg',
} as const

/** The most bytes of a file of a report that are read: a text has no room for more. */
export const reportLimit = 512 * mega

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
  for (const name of Object.values(reportFiles)) requireOwnFile(join(path, name))
  if (readdirSync(path).length === 0 || isReport(join(path, reportFiles.report))) return
  throw new UsageError(
    `The report cannot be written to ${path}, which has files and no report of leakrig: name a folder that is empty or does not exist.`,
  )
}

/**
 * Writes a report with its time lines, its trace and its page.
 * @returns false where something of it could not be written; a sentence on stderr says what
 */
export async function writeReportFolder(folder: string, report: Report): Promise<boolean> {
  const file = (name: keyof typeof reportFiles) => join(resolve(folder), reportFiles[name])
  const { schemaVersion, scenarios } = report
  const timelines = scenarios.map(({ system, name, timeline }) => ({ system, name, timeline }))
  const soaks = scenarios.flatMap(({ soak, system }) => (soak ? soakSvg(soak, system) : []))
  const written = [
    writeJson(file('report'), withoutTimelines(report), reportSchema, putByName),
    writeJson(file('timelines'), { schemaVersion, timelines }, timelinesSchema, putByName),
    writeJson(file('trace'), makeTrace(report), undefined, putByName),
    ...soaks.map(plot => writeText(file('plot'), plot, putByName)),
    writeText(file('page'), await reportPage(report), putByName),
  ]
  return written.every(Boolean)
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
  const found = foundAt(path)
  if (typeof found === 'string') throw wrong(found, written)
  if (!found.isDirectory()) throw wrong('it is a file', written)
  if (!isReport(join(path, reportFiles.report)))
    throw wrong(`it has no ${reportFiles.report} of leakrig`, written)
  const page = join(path, reportFiles.page)
  if (!statSync(page, { throwIfNoEntry: false })?.isFile())
    throw wrong(`it has no ${reportFiles.page}`, 'make it anew with --report')
  return page
}

/** What is at a path that a user names, or why that is not to be seen: a link in a circle leads nowhere, and is there. */
export function foundAt(path: string): Stats | string {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? 'it does not exist'
  } catch (error) {
    return (error as Error).message
  }
}

/** What reports of every schemaVersion have. */
const anyReport = reportSchema.pick({ startedAt: true, durationMs: true, exitCode: true }).extend({
  schemaVersion: z.int().positive(),
  scenarios: z.array(scenarioResultSchema.pick({ file: true, name: true, durationMs: true })),
})

function isReport(file: string): boolean {
  try {
    return anyReport.safeParse(JSON.parse(readRegular(file, reportLimit))).success
  } catch {
    return false
  }
}
