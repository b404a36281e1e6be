import path from 'node:path'
import { isJson, SMALL_BYTES } from '../../platform/files/json.ts'
import { ownUid } from '../../platform/files/trust.ts'
import { parseJson } from '../../platform/json/parse.ts'
import { hasEnded } from '../../platform/processes/stat.ts'
import { readProcess } from '../../platform/processes/table.ts'
import { asSessionId } from '../../registry/stream-log.ts'
import { type Entry, entryIn, namesIn, openOwn, type Refused, textIn } from './own-folder.ts'
import type { ClaudeFolder, Places } from './places.ts'

/** The record that a claude wrote of itself into `sessions/<pid>.json`, in a file of ours. */
export interface SessionRecord {
  at: ClaudeFolder
  pid: number
  sessionId: string | undefined
  /** The folder that it works in, where its version records that. */
  folder: string | undefined
  /** When it began, in ms since 1970: the recorded time, but at most the birth of the file. */
  startedMs: number
  entry: Entry
}

/** All records in claude's folders. */
export function readRecords({ folders }: Places, refused: Refused): SessionRecord[] {
  return folders.flatMap(at => {
    using sessions = openOwn(at.root, [at.name, 'sessions'], refused)
    return namesIn(sessions).flatMap(name => {
      const pid = Number(/^([1-9]\d{0,9})\.json$/.exec(name)?.[1])
      const entry = sessions && Number.isInteger(pid) ? entryIn(sessions, name) : undefined
      const content = sessions && entry && parse(textIn(sessions, name, SMALL_BYTES))
      // The pid in the record must be the same: somebody may have copied the file.
      if (entry?.uid !== ownUid() || !content || content.pid !== pid) return []
      const { sessionId, cwd: folder, startedAt } = content
      return [
        {
          at,
          pid,
          entry,
          sessionId: asSessionId(sessionId),
          folder: typeof folder === 'string' ? path.normalize(folder) : undefined,
          startedMs: typeof startedAt === 'number' && startedAt < entry.bornMs ? startedAt : entry.bornMs,
        },
      ]
    })
  })
}

/** The JSON object in a text; undefined when it holds none. */
export function parse(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const content = parseJson(text ?? '')
    return isJson(content) ? content : undefined
  } catch {
    return undefined
  }
}

/** True when no process has this pid: a process that has it now may be a new claude with a record of its own. */
export function isDead(pid: number): boolean {
  const now = readProcess(pid)
  return now === undefined || hasEnded(now)
}
