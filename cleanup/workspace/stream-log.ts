import fs from 'node:fs'
import { isJson, type Json } from '../files/json.ts'
import { openRegular } from '../files/regular-file.ts'
import { within } from '../files/within.ts'
import { workspaceOfLog } from './layout.ts'

/** How much of a log's beginning and end is read, in bytes. A result line is seldom longer than a few thousand. */
const PART_BYTES = 256 * 1024

/** The session that claude said it is in: the first `session_id` of a stream log; undefined when it says none. */
export function sessionIdOf(log: string): string | undefined {
  for (const event of events(readPart(log, 'head')))
    if (typeof event.session_id === 'string') return event.session_id
  return undefined
}

/** What claude said of itself when it began (`system/init`): its folder, version, session ...; undefined when it did not. */
export function initEventOf(log: string): Json | undefined {
  return events(readPart(log, 'head')).find(event => event.subtype === 'init')
}

/**
 * The last `result` event of a stream log, undefined when there is none. There may be several: claude goes on
 * after one when a background task wakes it up.
 */
export function lastResult(log: string): Json | undefined {
  return events(readPart(log, 'tail')).findLast(event => event.type === 'result')
}

/** The last whole event of a stream log, of whatever type; undefined when there is none. */
export function lastEvent(log: string): Json | undefined {
  return events(readPart(log, 'tail')).at(-1)
}

/** True when the last result says that the work succeeded: an API error has the subtype `success` as well. */
export function saysSuccess(result: Json | undefined): boolean {
  return result?.subtype === 'success' && result.is_error !== true
}

/** The tasks that claude put in the background; their output stays on a clean exit too. */
export function backgroundTasks(log: string): Set<unknown> {
  const all = [...events(readPart(log, 'head')), ...events(readPart(log, 'tail'))]
  return new Set(all.filter(event => event.is_backgrounded === true).map(event => event.task_id))
}

/** The tasks that the log itself says ran in the foreground; claude removes their output when they end. */
export function foregroundTasks(log: string): Set<string> {
  const all = [...events(readPart(log, 'head')), ...events(readPart(log, 'tail'))]
  const ids = all.filter(event => event.is_backgrounded === false).map(event => String(event.task_id))
  return new Set(ids.filter(id => /^[\w-]+$/.test(id)))
}

/** The lines that are whole events; a log can end, and a part of it begin, in the middle of one. */
function events(text: string): Json[] {
  return text.split('\n').flatMap(line => {
    try {
      const event: unknown = JSON.parse(line)
      return isJson(event) ? [event] : []
    } catch {
      return []
    }
  })
}

function readPart(file: string, part: 'head' | 'tail'): string {
  let fd: number | undefined
  try {
    fd = within(workspaceOfLog(file), file, openRegular)
    const { size } = fs.fstatSync(fd)
    const bytes = Buffer.allocUnsafe(Math.min(size, PART_BYTES))
    const position = part === 'head' ? 0 : size - bytes.length
    return bytes.toString('utf8', 0, fs.readSync(fd, bytes, 0, bytes.length, position))
  } catch {
    return ''
  } finally {
    if (fd !== undefined) fs.closeSync(fd)
  }
}
