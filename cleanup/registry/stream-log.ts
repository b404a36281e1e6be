import fs from 'node:fs'
import { isJson, type Json } from '../platform/files/json.ts'
import { openRegular } from '../platform/files/regular-file.ts'
import { within } from '../platform/files/within.ts'
import { workspaceOfLog } from './layout.ts'

/** How much of a log's beginning and end is read, in bytes. A result line seldom exceeds a few thousand. */
const PART_BYTES = 256 * 1024

/** What a stream log says about claude's session. The agent writes the log itself, so it proves nothing. */
export interface LoggedSession {
  /** The session that the log's beginning names; undefined when it names none or several. */
  id: string | undefined
  /** The folder in which claude was started. */
  folder: string | undefined
  /** Tasks that claude waited for. It removes their output when they end. */
  foreground: ReadonlySet<string>
  /** Tasks in the background. Their output stays even after a clean exit. */
  background: ReadonlySet<string>
}

/** Reads the session from a log's beginning, and the tasks from its beginning and end. */
export function loggedSession(log: string): LoggedSession {
  const { events: head, isWhole } = readPart(log, 'head')
  const ids = new Set(head.flatMap(event => asSessionId(event.session_id) ?? []))
  const folder = head.find(event => event.subtype === 'init')?.cwd
  // Without a single session, the tasks in the log's end are of no use.
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

/** The value if it is a session id of claude's, a UUID and safe in a path; otherwise undefined. */
export function asSessionId(value: unknown): string | undefined {
  return typeof value === 'string' && SESSION_ID.test(value) ? value : undefined
}

const SESSION_ID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/

/** The value if it is the name of a task or team and safe in a path, without dots and slashes; otherwise undefined. */
export function asTaskId(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value) ? value : undefined
}

/** The last `result` event of a stream log, or undefined. There may be several: a background task can wake claude up after one. */
export function lastResult(log: string): Json | undefined {
  return readPart(log, 'tail').events.findLast(event => event.type === 'result')
}

/** The last complete event of a stream log, of any type, or undefined. */
export function lastEvent(log: string): Json | undefined {
  return readPart(log, 'tail').events.at(-1)
}

/** True when a result reports success. An API error also has the subtype `success`, but sets `is_error`. */
export function saysSuccess(result: Json | undefined): boolean {
  return result?.subtype === 'success' && result.is_error !== true
}

/** The events of a log's beginning or end. */
interface Part {
  events: Json[]
  /** True when the part is the whole log. */
  isWhole: boolean
}

/** The complete events of a text. A part of a log can begin, and the log can end, within a line. */
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
