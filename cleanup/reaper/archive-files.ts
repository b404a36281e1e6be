import fs from 'node:fs'
import path from 'node:path'
import { logWriters } from '../claims/log-writers.ts'
import type { Observation } from '../claims/observation.ts'
import { messageOf, systemCode } from '../errors.ts'
import type { Log } from '../log.ts'
import { moveInto } from '../platform/files/move-file.ts'
import { type HeldFolder, openMade, openWithin, within } from '../platform/files/within.ts'
import { type AgentFiles, agentFiles } from '../registry/agent-files.ts'
import type { CleanUpReport } from './report.ts'

/**
 * Removes the agent's prompt and moves its logs to the archive. The stream log moves only when nobody writes it
 * any more: a writer would go on writing to it in the archive. What cannot be put away is a problem in the report.
 */
export function archiveFiles(observation: Observation, report: CleanUpReport, log: Log): void {
  // Looked at anew: since the first look somebody may have put a link in the way.
  const files = agentFiles(observation.ref, observation.entry)
  for (const file of [files.prompt, files.adoptedChildren])
    attempt(report, file, () => within(files.root, file, at => removeFile(at, file, report, log)))
  using held = new DisposableStack()
  let opened: HeldFolder | undefined
  // Made with the first log: an agent without any leaves no archive.
  const target = () => (opened ??= held.use(openMade(files.root, files.archive)))
  for (const file of [files.stream, files.progress, files.findings, files.deploy])
    attempt(report, file, () => archive(observation, files, file, target, report, log))
}

function removeFile(at: string, file: string, report: CleanUpReport, log: Log): void {
  if (!fs.lstatSync(at, { throwIfNoEntry: false })) return
  log({ event: 'remove', file })
  fs.unlinkSync(at)
  report.removed.push(file)
}

function archive(
  observation: Observation,
  files: AgentFiles,
  file: string,
  target: () => HeldFolder,
  report: CleanUpReport,
  log: Log,
): void {
  using folder = openWithin(files.root, path.dirname(file))
  const name = path.basename(file)
  const found = fs.lstatSync(folder.at(name), { throwIfNoEntry: false })
  if (!found) return
  if (!found.isFile()) {
    report.problems.push(`${file} was left in place: expected a regular file, found something else.`)
    return
  }
  const writer = longestWriter(observation, file)
  if (writer) {
    const comm = observation.table.get(writer.pid)?.comm ?? '?'
    report.problems.push(
      `${file} was left in place: process ${writer.pid} (${comm}), which could not be claimed for the agent or did not end, still writes it.`,
    )
    return
  }
  log({ event: 'archive', file })
  report.archived.push({ from: file, to: path.join(files.archive, moveInto(target(), folder, name)) })
}

/** Of several the one that was there first: the others are mostly its children, and gone by the time one looks. */
function longestWriter({ openFiles, table }: Observation, file: string): { pid: number } | undefined {
  const startOf = ({ pid }: { pid: number }) => table.get(pid)?.start ?? Number.POSITIVE_INFINITY
  return logWriters(openFiles, file).toSorted((one, other) => startOf(one) - startOf(other))[0]
}

function attempt(report: CleanUpReport, file: string, step: () => void): void {
  try {
    // Not every task has every folder.
    if (fs.lstatSync(file, { throwIfNoEntry: false })) step()
  } catch (error) {
    // Gone between look and grasp is as good as put away.
    if (systemCode(error) === 'ENOENT' && fs.existsSync(path.dirname(file))) return
    report.problems.push(`${file} could not be put away: ${messageOf(error)}.`)
  }
}
