import path from 'node:path'
import { messageOf } from '../errors.ts'
import { readSmallJson } from '../platform/files/json.ts'
import { replaceWithin } from '../platform/files/replace-file.ts'
import { statAt } from '../platform/files/stat-at.ts'
import { makeFolder } from '../platform/files/within.ts'

/** Until when retention removes nothing, and why. */
interface Hold {
  /** A time of the wall clock, as `Date.parse` reads it. */
  until: string
  reason: string
}

/** A hold that is in force. A file that cannot be understood holds too: its author wanted something kept. */
export type ActiveHold = Hold | { problem: string }

export const holdFile = (workspace: string): string => path.join(workspace, 'registry', 'retention-hold.json')
/** Earlier versions read a workspace's policy from this file. */
export const oldPolicyFile = (workspace: string): string => path.join(workspace, 'registry', 'retention.json')

/** Writes a hold that every retention of this workspace respects. It replaces an earlier one. Throws file system errors. */
export function holdRetention(workspace: string, hold: Hold): void {
  const file = holdFile(workspace)
  makeFolder(workspace, path.dirname(file))
  replaceWithin(workspace, file, `${JSON.stringify(hold, null, 2)}\n`)
}

/** The hold in force at a time of the wall clock, in ms; undefined when there is none or it has expired. */
export function readHold(workspace: string, nowMs: number): ActiveHold | undefined {
  const file = holdFile(workspace)
  try {
    // Its author may have asked for more than today's options keep, and a removal cannot be undone.
    if (statAt(oldPolicyFile(workspace)))
      return {
        problem: `${oldPolicyFile(workspace)} is no longer read; use the options --keep-days, --keep-last, --max-bytes and --min-free instead, and remove the file`,
      }
    const hold = readSmallJson(workspace, file)
    if (!hold) return undefined
    if (typeof hold.until !== 'string' || Number.isNaN(Date.parse(hold.until)))
      return unreadable(file, 'it has no time "until"')
    if (Date.parse(hold.until) <= nowMs) return undefined
    return { until: hold.until, reason: typeof hold.reason === 'string' ? hold.reason : 'no reason given' }
  } catch (error) {
    return unreadable(file, messageOf(error))
  }
}

/** A hold in words, for use inside a sentence. */
export function holdText(hold: ActiveHold): string {
  return 'problem' in hold ? hold.problem : `hold until ${hold.until}: ${hold.reason}`
}

function unreadable(file: string, why: string): ActiveHold {
  return { problem: `${file} could not be understood (${why}), so it counts as a hold; correct or remove it` }
}
