import { basename } from 'node:path'
import type { Resource } from '../snapshot/snapshot.ts'
import type { Agent } from './agent.ts'
import type { JournalEntry } from './journal.ts'

/** A file with lines of an agent's stream log. */
export interface LogPart {
  path: string
  text: string
}

/** What a rotation adds to a log's name: a number or a date. Other additions (`.bak`) are somebody's own copy. */
const ADDED = /^(?:[.-]\d[\d.:TZ_-]*)?\.jsonl(?:[.-]\d[\d.:TZ_-]*)?$/

/** True for the file name of an agent's stream log, or of a part of it that was rotated. */
export function isStreamLogOf(agentId: string, name: string): boolean {
  const stem = `${agentId}_stream`
  return name.startsWith(stem) && ADDED.test(name.slice(stem.length))
}

/** Every named file that is an agent's stream log or a part of it. */
export async function logParts({ id, rig }: Agent, resources: Resource[]): Promise<LogPart[]> {
  const parts: LogPart[] = []
  for (const one of resources) {
    if (one.kind !== 'file' || !isStreamLogOf(id, basename(one.path))) continue
    const text = await rig.probe.read(one.path)
    if (text !== undefined) parts.push({ path: one.path, text })
  }
  return parts
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
