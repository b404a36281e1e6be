import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, statSync } from 'node:fs'
import { annotations } from '../report/annotations.ts'
import type { Report } from '../report/report.ts'
import { stepSummary } from '../report/step-summary.ts'
import { print, printProblem } from '../terminal.ts'
import { annotatedFile } from './annotated-file.ts'

const isGithub = (): boolean => process.env.GITHUB_ACTIONS === 'true'

let token: string | undefined

/**
 * On GitHub a line that begins with `::` is a command of the workflow, indented or not, and a run prints what other programs
 * wrote. From now on no line is one, until `showOnGithub`.
 */
export function guardCommands(): void {
  if (!isGithub() || token !== undefined) return
  token = randomUUID()
  print(`::stop-commands::${token}`)
  process.once('exit', allowCommands)
}

function allowCommands(): void {
  if (token !== undefined) print(`::${token}::`)
  token = undefined
}

/** In a job of GitHub Actions: annotates it with what is red, and adds the report to its summary. */
export function showOnGithub(report: Report): void {
  if (!isGithub()) return
  allowCommands()
  for (const command of annotations(report, result => annotatedFile(report.run, result))) print(command)
  const { GITHUB_STEP_SUMMARY: file } = process.env
  if (!file) return
  try {
    // Whoever opens a FIFO waits for its reader.
    if (existsSync(file) && !statSync(file).isFile()) throw new Error('it is no regular file')
    appendFileSync(file, stepSummary(report))
  } catch (error) {
    printProblem(
      `The summary of the step could not be written to ${file} (${(error as Error).message}): the verdict above stands.`,
    )
  }
}
