import fs from 'node:fs'
import path from 'node:path'
import { logWriters } from '../claims/log-writers.ts'
import type { Observation } from '../claims/observation.ts'
import { attempt, systemCode, withoutStop } from '../errors.ts'
import type { Log } from '../log.ts'
import { kindOf } from '../platform/files/folder.ts'
import { moveInto } from '../platform/files/move-file.ts'
import { statAt } from '../platform/files/stat-at.ts'
import { type HeldFolder, openMade, openWithin, within } from '../platform/files/within.ts'
import { Held } from '../platform/held.ts'
import { type AgentFiles, agentFiles } from '../registry/agent-files.ts'
import { partsIn } from '../registry/log-parts.ts'
import type { CleanUpReport } from './report.ts'

/** The files that go with an agent. */
export const filesToRemove = ({ prompt, adoptedChildren, stderr }: AgentFiles): string[] => [
  prompt,
  adoptedChildren,
  ...(isEmpty(stderr) ? [stderr] : []),
]

/** Most claudes print no error. */
function isEmpty(file: string): boolean {
  const stat = statAt(file)
  return stat?.isFile() === true && stat.size === 0
}

/** The files that are kept in the archive: the logs, and the parts of each that a rotation has renamed. */
export const filesToArchive = ({ root, stream, progress, findings, deploy, stderr }: AgentFiles): string[] =>
  [stream, progress, findings, deploy, ...(isEmpty(stderr) ? [] : [stderr])].flatMap(log => [
    log,
    ...partsOf(root, log),
  ])

/** Why something in a log's place is not archived, and what to do, for a sentence; undefined for a file. */
export function whyNotArchived(found: fs.Stats): string | undefined {
  if (found.isFile()) return undefined
  const advice = found.isSymbolicLink() ? 'Replace it by the file that it leads to' : 'Move it away'
  return `expected a regular file, found ${kindOf(found)}. ${advice}`
}

function partsOf(root: string, log: string): string[] {
  const folder = path.dirname(log)
  using held = attempt(
    () => openWithin(root, folder),
    () => {},
  )
  return held ? partsIn(held, path.basename(log)).map(name => path.join(folder, name)) : []
}

/**
 * Removes the agent's prompt and moves its logs to the archive. A log moves only when nobody writes it any more: a writer
 * would go on writing to it in the archive. Each file that could not be removed or archived is a problem in the report.
 */
export function archiveFiles(observation: Observation, report: CleanUpReport, log: Log): void {
  // Resolved again: since the plan was made somebody may have put a link in the way.
  const files = agentFiles(observation.ref, observation.entry)
  for (const file of filesToRemove(files))
    step(file, () => within(files.root, file, at => removeFile(at, file, report, log)))
  using held = new Held()
  let opened: HeldFolder | undefined
  // Made with the first log: an agent without any leaves no archive.
  const target = () => (opened ??= held.use(openMade(files.root, files.archive)))
  for (const file of filesToArchive(files))
    step(file, () => archive(observation, files, file, target, report, log))

  const nameless = fs.existsSync(files.stream) ? undefined : oldestWriter(observation, files.stream)
  if (nameless)
    report.problems.push(
      `${files.stream} was deleted, and process ${nameless.pid}, which could not be claimed for the agent or did not end, still writes it.`,
    )

  function step(file: string, run: () => void): void {
    attempt(
      () => {
        // Not every task has every folder.
        if (statAt(file)) run()
      },
      (message, error) => {
        // Somebody else may have removed the file in the meantime.
        if (systemCode(error) === 'ENOENT' && fs.existsSync(path.dirname(file))) return
        report.problems.push(`${file} could not be removed or archived: ${withoutStop(message)}.`)
      },
    )
  }
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
  const why = whyNotArchived(found)
  if (why !== undefined) {
    report.problems.push(`${file} was left in place: ${why}, then clean up again.`)
    return
  }
  const writer = oldestWriter(observation, file)
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

/** The oldest writer: the others are mostly its children, and have ended before anybody can read their names. */
function oldestWriter({ openFiles, table }: Observation, file: string): { pid: number } | undefined {
  const startOf = ({ pid }: { pid: number }) => table.get(pid)?.start ?? Number.POSITIVE_INFINITY
  return logWriters(openFiles, file).toSorted((one, other) => startOf(one) - startOf(other))[0]
}
