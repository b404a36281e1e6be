import path from 'node:path'
import { hasEnded } from '../../processes/stat.ts'
import { readProcess } from '../../processes/table.ts'
import { list, readObject } from './files.ts'
import type { Residue } from './note.ts'

/** What a claude wrote of itself into `~/.claude/sessions/<pid>.json`. */
export interface SessionRecord {
  folder: string
  pid: number
  /** In ms since 1970, where this version of claude says so. */
  startedAt: number | undefined
}

/** The records that are of this agent's claudes, of which no process is left. */
export function sessionRecords(residue: Omit<Residue, 'files'>): SessionRecord[] {
  const { claudes, sessionId } = residue
  return allRecords(residue).flatMap(({ folder, pid, record }) => {
    const isOurs = claudes.has(pid) || (sessionId !== undefined && record.sessionId === sessionId)
    const startedAt = typeof record.startedAt === 'number' ? record.startedAt : undefined
    return isOurs && isDead(pid) && record.pid === pid ? [{ folder, pid, startedAt }] : []
  })
}

/** True when a claude that runs has taken up the agent's session (`claude --resume`): what carries it is that one's now. */
export function isResumed(residue: Residue): boolean {
  return allRecords(residue).some(
    ({ pid, record }) =>
      residue.sessionId !== undefined && record.sessionId === residue.sessionId && !isDead(pid),
  )
}

function allRecords({ homes }: Pick<Residue, 'homes'>) {
  const folders = [...homes].map(home => path.join(home, '.claude', 'sessions'))
  return folders.flatMap(folder =>
    list(folder).flatMap(name => {
      const pid = Number(/^(\d+)\.json$/.exec(name)?.[1])
      return Number.isInteger(pid) ? [{ folder, pid, record: readObject(path.join(folder, name)) }] : []
    }),
  )
}

/** The number must be nobody's at all: a process that has it now may be a new claude with a record of its own. */
export function isDead(pid: number): boolean {
  const now = readProcess(pid)
  return now === undefined || hasEnded(now)
}
