import fs from 'node:fs'
import { isJson, type Json } from '../platform/files/json.ts'
import { openRegular } from '../platform/files/regular-file.ts'
import { within } from '../platform/files/within.ts'
import { workspaceOfLog } from './layout.ts'

/** How much of a log's beginning and end is read, in bytes. A result line is seldom longer than a few thousand. */
const PART_BYTES = 256 * 1024

/** What a stream log says of its claude's session. An agent writes its log itself, so none of it is proof. */
export interface LoggedSession {
  /** The one session that the log's beginning names; undefined when it names none or several. */
  id: string | undefined
  /** The folder that claude began in. */
  folder: string | undefined
  /** The tasks that claude waited for; it removes their output when they end. */
  foreground: ReadonlySet<string>
  /** The tasks that claude put in the background; their output stays on a clean exit too. */
  background: ReadonlySet<string>
}

/** Reads what a log's beginning says of the session, and what its beginning and end say of tasks. */
export function loggedSession(log: string): LoggedSession {
  const { events: head, isWhole } = readPart(log, 'head')
  const ids = new Set(head.flatMap(event => asSessionId(event.session_id) ?? []))
  const folder = head.find(event => event.subtype === 'init')?.cwd
  // Tasks tell something only of a known session.
  const all = isWhole || ids.size !== 1 ? head : [...head, ...readPart(log, 'tail').events]
  const tasks = (isBackground: boolean) =>
    new Set(all.flatMap(one => (one.is_backgrounded === isBackground ? (asTaskId(one.task_id) ?? []) : [])))
  return {
    id: ids.size === 1 ? [...ids][0] : undefined,
    folder: typeof folder === 'string' ? folder : undefined,
    foreground: tasks(false),
    background: tasks(true),
  }
}

/** A session's id as claude makes them, a UUID, which can stand in a path; undefined for everything else. */
export function asSessionId(value: unknown): string | undefined {
  return typeof value === 'string' && SESSION_ID.test(value) ? value : undefined
}

const SESSION_ID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/

/** A name of a task or a team that can stand in a path: without dots and slashes. */
export function asTaskId(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value) ? value : undefined
}

/**
 * The last `result` event of a stream log, undefined when there is none. There may be several: claude goes on
 * after one when a background task wakes it up.
 */
export function lastResult(log: string): Json | undefined {
  return readPart(log, 'tail').events.findLast(event => event.type === 'result')
}

/** The last whole event of a stream log, of whatever type; undefined when there is none. */
export function lastEvent(log: string): Json | undefined {
  return readPart(log, 'tail').events.at(-1)
}

/** True when the last result says that the work succeeded: an API error has the subtype `success` as well. */
export function saysSuccess(result: Json | undefined): boolean {
  return result?.subtype === 'success' && result.is_error !== true
}

/** The events of a log's beginning or end. */
interface Part {
  events: Json[]
  /** True when that is all of the log. */
  isWhole: boolean
}

/** The lines that are whole events; a log can end, and a part of it begin, in the middle of one. */
function eventsIn(text: string): Json[] {
  return text.split('\n').flatMap(line => {
    try {
      const event: unknown = JSON.parse(line)
      return isJson(event) ? [event] : []
    } catch {
      return []
    }
  })
}

function readPart(file: string, part: 'head' | 'tail'): Part {
  let fd: number | undefined
  try {
    fd = within(workspaceOfLog(file), file, openRegular)
    const { size } = fs.fstatSync(fd)
    const bytes = Buffer.allocUnsafe(Math.min(size, PART_BYTES))
    const position = part === 'head' ? 0 : size - bytes.length
    const text = bytes.toString('utf8', 0, fs.readSync(fd, bytes, 0, bytes.length, position))
    return { events: eventsIn(text), isWhole: bytes.length === size }
  } catch {
    return { events: [], isWhole: true }
  } finally {
    if (fd !== undefined) fs.closeSync(fd)
  }
}
