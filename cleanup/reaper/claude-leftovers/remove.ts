import fs from 'node:fs'
import path from 'node:path'
import type { Claim } from '../../claims/evidence.ts'
import { messageOf, systemCode } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { CleanUpReport } from '../report.ts'
import type { ClaudeLeftover, ClaudeLeftovers } from './leftover.ts'
import { entryIn, openOwn } from './own-folder.ts'
import { isDead } from './records.ts'
import { isTakenUp } from './session.ts'

type Report = Pick<CleanUpReport, 'removed' | 'notes'>

/**
 * Removes what was found before the processes were ended, each file only if it is still that very one, and nothing
 * else. What claude has removed itself in the meantime counts as removed too. `claims` are all that were ended; `log` is told of each
 * file that we remove.
 */
export function removeClaudeLeftovers(
  { going, stays, session, places }: ClaudeLeftovers,
  claims: ReadonlyMap<number, Claim>,
  report: Report,
  log: Log,
): void {
  const isOver = [...claims.values()].every(({ process }) => isDead(process.pid))
  const isOthers = going.some(({ of }) => of === 'session') && isTakenUp(session, places)
  const notes = new Set(stays)
  for (const one of going) {
    try {
      const why = isDue(one) ? removeOne(one, log) : notDue(one)
      if (why === undefined) report.removed.push(one.file)
      else notes.add(why)
    } catch (error) {
      notes.add(
        `${one.file}, which the agent's claude left behind, could not be removed: ${messageOf(error)}`,
      )
    }
  }
  report.notes.push(...[...notes].map(note => `${note}.`))

  function isDue({ of }: ClaudeLeftover): boolean {
    if (typeof of === 'number') return isDead(of)
    return isOver && !(of === 'session' && isOthers)
  }

  function notDue({ file, of }: ClaudeLeftover): string {
    return of === 'session' && isOver
      ? `${file} stays, because a claude that lives has the session now`
      : `${file} stays, because a process of the agent still lives`
  }
}

/** Returns why it stays; undefined when it is gone. */
function removeOne({ root, file, identity, isFolder }: ClaudeLeftover, log: Log): string | undefined {
  let refused: string | undefined
  const refuse = (why: string) => {
    refused = why
  }
  const folders = path.relative(root, path.dirname(file)).split(path.sep).filter(Boolean)
  using folder = openOwn(root, folders, refuse)
  if (refused !== undefined) return refused
  const name = path.basename(file)
  const now = folder && entryIn(folder, name)
  if (!folder || !now) return undefined
  if (now.identity !== identity) return `${file} stays, because it was replaced since it was looked at`
  log({ event: 'remove', file })
  try {
    if (isFolder) fs.rmdirSync(folder.at(name))
    else fs.unlinkSync(folder.at(name))
    return undefined
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    if (systemCode(error) === 'ENOTEMPTY')
      return `${file} stays, because something was made in it since it was looked at`
    throw folder.named(error)
  }
}
