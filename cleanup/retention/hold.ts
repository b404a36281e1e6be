import path from 'node:path'
import { messageOf } from '../errors.ts'
import { readSmallJson } from '../platform/files/json.ts'
import { replaceWithin } from '../platform/files/replace-file.ts'
import { makeFolder } from '../platform/files/within.ts'

/** Until when nothing is purged, and why. */
export interface Hold {
  /** A time of the wall clock, as `Date.parse` reads it. */
  until: string
  reason: string
}

/** A hold that is in force. A file that could not be understood is one too: whoever wrote it wanted something kept. */
export type HoldFound = Hold | { unreadable: string }

export const holdFile = (workspace: string): string => path.join(workspace, 'registry', 'retention-hold.json')

/** Puts a hold on disk, for every retention of this workspace, whoever runs it. The latest one counts. */
export function holdRetention(workspace: string, hold: Hold): void {
  const file = holdFile(workspace)
  makeFolder(workspace, path.dirname(file))
  replaceWithin(workspace, file, `${JSON.stringify(hold, null, 2)}\n`)
}

/** The hold that is in force at a time of the wall clock, undefined when there is none or it is over. */
export function readHold(workspace: string, nowMs: number): HoldFound | undefined {
  const file = holdFile(workspace)
  try {
    const hold = readSmallJson(workspace, file)
    if (!hold) return undefined
    if (typeof hold.until !== 'string' || Number.isNaN(Date.parse(hold.until)))
      return broken(file, 'it lacks a time "until"')
    if (Date.parse(hold.until) <= nowMs) return undefined
    return { until: hold.until, reason: typeof hold.reason === 'string' ? hold.reason : 'no reason given' }
  } catch (error) {
    return broken(file, messageOf(error))
  }
}

/** A hold in words. */
export function holdText(hold: HoldFound): string {
  return 'unreadable' in hold ? hold.unreadable : `until ${hold.until}: ${hold.reason}`
}

function broken(file: string, why: string): HoldFound {
  return {
    unreadable: `${file} could not be understood (${why}), so it counts as a hold; correct or remove it`,
  }
}
