import { basename, dirname, extname } from 'node:path'
import { fill } from '../definition/placeholders.ts'
import { CannotMeasureError } from '../errors.ts'
import { escapeRegExp } from '../escape-regexp.ts'
import type { Resource } from '../snapshot/snapshot.ts'
import type { Agent } from './agent.ts'
import type { JournalEntry } from './journal.ts'

/** A file with lines of an agent's stream log. */
export interface LogPart {
  path: string
  text: string
}

/** Where an agent's logs are, as its system declares. */
export interface LogPaths {
  live: string
  archived: string | undefined
  /** Other logs in the archive, with the tool whose calls each records. */
  records: { path: string; tool: string }[]
}

/** The paths of an agent's logs; undefined where the system declares none. */
export function logPaths({ rig, values }: Agent): LogPaths | undefined {
  const { logs } = rig.definition
  if (!logs) return undefined
  const all = { ...rig.values, ...values }
  return {
    live: fill(logs.live, all),
    archived: logs.archived === undefined ? undefined : fill(logs.archived, all),
    records: logs.records.map(({ archived, tool }) => ({ path: fill(archived, all), tool })),
  }
}

/** The path of an agent's log while it works. @throws CannotMeasureError where its system declares none */
export function liveLog(agent: Agent): string {
  const live = logPaths(agent)?.live
  if (live !== undefined) return live
  throw new CannotMeasureError(`The system ${agent.rig.definition.name} declares no logs.`)
}

/** What a rotation adds to a log's name: a number or a date. Other additions (`.bak`) are somebody's own copy. */
const added = String.raw`(?:[.-]\d[\d.:TZ_-]*)?`

/** Matches the name of a log, and the names of its parts that were rotated. */
export function partsOf(path: string): RegExp {
  const ending = extname(path)
  const stem = basename(path, ending)
  return new RegExp(`^${escapeRegExp(stem)}${added}${escapeRegExp(ending)}${added}$`)
}

/** Whether a path is that of an agent's stream log, or of a part of it. */
export function isStreamLogOf(agent: Agent, path: string): boolean {
  const paths = logPaths(agent)
  const names = [paths?.live, paths?.archived].filter(one => one !== undefined)
  return names.some(one => partsOf(one).test(basename(path)))
}

/** Every named file that is an agent's stream log or a part of it. */
export async function logParts(agent: Agent, resources: Resource[]): Promise<LogPart[]> {
  const parts: LogPart[] = []
  for (const one of resources) {
    if (one.kind !== 'file' || !isStreamLogOf(agent, one.path)) continue
    const text = await agent.rig.probe.read(one.path)
    if (text !== undefined) parts.push({ path: one.path, text })
  }
  return parts
}

/** The folder of an agent's archive; undefined where the system declares none. */
export function archiveFolder(agent: Agent): string | undefined {
  const archived = logPaths(agent)?.archived
  return archived === undefined ? undefined : dirname(archived)
}

/** The ids of the events in a text, in order. A line that is no event adds none. */
export function eventsIn(text: string): string[] {
  return text.split('\n').flatMap(line => {
    const uuid = parsed(line)?.uuid
    return typeof uuid === 'string' ? [uuid] : []
  })
}

/** A line as an object; undefined for anything else. */
export function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** The ids of the events that claude could write to its pipe, by its journal, in order. */
export function writtenEvents(journal: JournalEntry[]): string[] {
  return journal.flatMap(({ what, uuid }) => (what === 'event' && uuid ? uuid : []))
}
