import fs from 'node:fs'
import path from 'node:path'
import type { Claim } from '../../claims/evidence.ts'
import { words } from '../../errors.ts'
import type { CleanUpReport, Log } from '../report.ts'
import { teamsOfSession, temporaryOfSession } from './by-session.ts'
import { list } from './files.ts'
import type { Residue } from './note.ts'
import { isDead, isResumed, sessionRecords } from './session-records.ts'

/**
 * Removes what claude left behind because it was killed. Only what provably is this agent's: what its processes had in
 * use, files that carry the session that its log names, or the pid of its dead claude. `log` is the stream log.
 */
export function removeResidue(
  residue: Residue,
  streamLog: string,
  claims: ReadonlyMap<number, Claim>,
  report: CleanUpReport,
  log: Log,
): void {
  const isOver = [...claims.values()].every(({ process }) => isDead(process.pid))
  const files = isOver ? [...residue.files] : []
  if (isOver && !isResumed(residue))
    files.push(...temporaryOfSession(residue, streamLog), ...teamsOfSession(residue))
  for (const file of files) remove(file, report, log)
  for (const { folder, pid } of sessionRecords(residue)) {
    const keys = list(folder).filter(name => name.startsWith(`${pid}.`) && name.endsWith('.key'))
    const sockets = [...residue.bases].map(base => path.join(base, 'cc-socks', `${pid}.sock`))
    // The record last: while it is there, a cleaner that goes on after us still finds the others.
    const record = path.join(folder, `${pid}.json`)
    for (const file of [...keys.map(name => path.join(folder, name)), ...sockets, record])
      remove(file, report, log)
  }
  const left = residue.doubtful.filter(file => fs.existsSync(file))
  if (left.length > 0)
    report.notes.push(
      `${left.join(', ')} may be of the agent's claude or of another one that runs, and stayed: nothing in it says whose it is.`,
    )
}

function remove(file: string, report: CleanUpReport, log: Log): void {
  if (!fs.lstatSync(file, { throwIfNoEntry: false })) return
  log({ event: 'remove', file })
  try {
    fs.rmSync(file, { recursive: true })
    report.removed.push(file)
  } catch (error) {
    report.notes.push(`${file}, which the agent's claude left behind, could not be removed: ${words(error)}.`)
  }
}
