import fs from 'node:fs'
import { attempt, messageOf, systemCode } from '../errors.ts'
import { isJson, type Json } from '../platform/files/json.ts'
import { linesFromEnd, readAt } from '../platform/files/lines-from-end.ts'
import { openRegular } from '../platform/files/regular-file.ts'
import { within } from '../platform/files/within.ts'
import { workspaceOfLog } from './layout.ts'
import { byAge, filesOfLog, isCompressed } from './log-parts.ts'

/** How much of a log's beginning and end is searched for its session, in bytes. */
const PART_BYTES = 256 * 1024
/**
 * The longest line that is read, in bytes, and how far back from a log's end its last event is searched for: claude puts its
 * whole answer into the line of its result, and a tool's output into one line.
 */
const LINE_BYTES = 16 << 20
/** How many events may follow a result (docs/claude.md). */
const MOST_AFTER_RESULT = 3
const TOO_LONG = `its last lines are longer than ${LINE_BYTES >> 20} MiB, and were not all read`

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
  const { events: head, isWhole } = attempt(() => eventsFromStart(log), ignore) ?? {
    events: [],
    isWhole: true,
  }
  const ids = new Set(head.flatMap(event => asSessionId(event.session_id) ?? []))
  // Without a single session, the tasks in the log's end are of no use.
  const all =
    isWhole || ids.size !== 1 ? head : [...head, ...(attempt(() => eventsFromEnd(log), ignore) ?? [])]
  const tasks = (isBackground: boolean) =>
    new Set(all.flatMap(one => (one.is_backgrounded === isBackground ? (asTaskId(one.task_id) ?? []) : [])))
  return {
    id: ids.size === 1 ? [...ids][0] : undefined,
    folder: folderIn(head),
    foreground: tasks(false),
    background: tasks(true),
  }
}

/** The folder in which claude was started, by the log's beginning; undefined when that does not name it. */
export const loggedFolder = (log: string): string | undefined =>
  folderIn(attempt(() => eventsFromStart(log).events, ignore) ?? [])

function folderIn(head: readonly Json[]): string | undefined {
  const folder = head.find(event => event.subtype === 'init')?.cwd
  return typeof folder === 'string' ? folder : undefined
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

/** The last `result` event of a stream log. There may be several: a background task can wake claude up after one. */
export interface LastResult {
  result: Json | undefined
  /** Why the log's end could not be read far enough to be certain, as the end of a sentence; undefined when it could. */
  unread?: string
}

/** Searches a log's end for its last result, and then the ends of the parts that a rotation has renamed, the newest first. */
export function lastResult(log: string): LastResult {
  const found = lastResultIn(log)
  if (found.result) return found
  for (const part of partsByAge(log)) {
    const { result } = lastResultIn(part)
    if (result) return { result }
  }
  return found
}

const lastResultIn = (log: string): LastResult =>
  lastLine(log, line => (line.includes(RESULT) ? resultIn(line) : undefined))

function partsByAge(log: string): string[] {
  const files = attempt(() => filesOfLog(workspaceOfLog(log), log), ignore) ?? []
  return files
    .toSorted(byAge)
    .map(({ file }) => file)
    .filter(file => file !== log && !isCompressed(file))
}

/** Tells a line that may be a result from the others without parsing it. */
const RESULT = '"result"'

function resultIn(line: Buffer): Json | undefined {
  const event = eventIn(line)
  return event?.type === 'result' ? event : undefined
}

/** The last complete event of a stream log, of any type, or undefined. */
export function lastEvent(log: string): Json | undefined {
  return lastLine(log, eventIn).result
}

/** True when a result reports success. An API error also has the subtype `success`, but sets `is_error`. */
export function saysSuccess(result: Json | undefined): boolean {
  return result?.subtype === 'success' && result.is_error !== true
}

/** The event in a line; undefined for a line that is none. The log can end within a line. */
function eventIn(line: Buffer | string): Json | undefined {
  try {
    const event: unknown = JSON.parse(line.toString())
    return isJson(event) ? event : undefined
  } catch {
    return undefined
  }
}

function lastLine(log: string, pick: (line: Buffer) => Json | undefined): LastResult {
  try {
    return withLog(log, fd => {
      const lines = linesFromEnd(fd, { listBytes: LINE_BYTES, mostBytes: LINE_BYTES })
      for (let seen = 0; ; seen++) {
        const { done, value } = lines.next()
        if (done) {
          const isRead = value && (seen > MOST_AFTER_RESULT || fs.fstatSync(fd).size <= LINE_BYTES)
          return { result: undefined, ...(!isRead && { unread: TOO_LONG }) }
        }
        const result = pick(value)
        if (result) return { result }
      }
    })
  } catch (error) {
    return { result: undefined, ...(systemCode(error) !== 'ENOENT' && { unread: messageOf(error) }) }
  }
}

/** The events in the last bytes of a log, the last one first. */
function eventsFromEnd(log: string): Json[] {
  return withLog(log, fd => eventsIn([...linesFromEnd(fd, { listBytes: PART_BYTES, mostBytes: LINE_BYTES })]))
}

/** The events in the first bytes of a log, its first line whole however long it is, and whether that is all of the log. */
function eventsFromStart(log: string): { events: Json[]; isWhole: boolean } {
  return withLog(log, fd => {
    const { size } = fs.fstatSync(fd)
    let head = readAt(fd, 0, Math.min(size, PART_BYTES))
    if (!head.includes('\n')) head = readAt(fd, 0, Math.min(size, LINE_BYTES))
    return { events: eventsIn(head.toString('utf8').split('\n')), isWhole: head.length === size }
  })
}

const eventsIn = (lines: (Buffer | string)[]): Json[] =>
  lines.map(eventIn).filter(event => event !== undefined)

/** A log that cannot be read says nothing. */
const ignore = () => {}

function withLog<T>(log: string, use: (fd: number) => T): T {
  const fd = within(workspaceOfLog(log), log, openRegular)
  try {
    return use(fd)
  } finally {
    fs.closeSync(fd)
  }
}
