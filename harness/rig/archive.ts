import { basename, dirname } from 'node:path'
import type { Agent } from './agent.ts'
import type { JournalEntry } from './journal.ts'
import {
  archiveFolder,
  eventsIn,
  isStreamLogOf,
  type LogPart,
  logParts,
  logPaths,
  parsed,
  partsOf,
  writtenEvents,
} from './stream-log.ts'
import type { SystemUnderTest } from './system-under-test.ts'

/**
 * What is wrong with an agent's archive, in sentences. Nothing, when the archive has a line for every call that was
 * answered, and the stream log has, in order and as whole lines, every event that the fake claude could write to its pipe.
 */
export async function archiveFaults(rig: SystemUnderTest, agent: Agent): Promise<string[]> {
  const journal = await agent.journal()
  const faults = await streamFaults(agent, journal)
  for (const { path, tool } of logPaths(agent)?.records ?? []) {
    const answered = journal.filter(
      entry => entry.what === 'answer' && entry.tool === tool && !entry.is_error,
    )
    if (answered.length === 0) continue
    const name = basename(path)
    const text = await rig.probe.read(path)
    if (text === undefined) {
      faults.push(`${name} is not in ${archiveFolder(agent)}`)
      continue
    }
    const lines = text.split('\n').length - 1
    if (lines < answered.length) faults.push(`${name} has ${lines} lines for ${answered.length} calls`)
    faults.push(...unreadableLines(name, text, 0))
  }
  return faults
}

/** The stream log may have been rotated: then its parts, the oldest first, have to be the whole. */
async function streamFaults(agent: Agent, journal: JournalEntry[]): Promise<string[]> {
  const folder = archiveFolder(agent)
  const { resources } = await agent.rig.snapshot()
  const archived = resources.filter(one => one.kind === 'file' && dirname(one.path) === folder)
  const parts = await logParts(agent, archived)
  if (parts.length === 0) return [`${basename(logPaths(agent)?.archived ?? '')} is not in ${folder}`]
  const written = writtenEvents(journal)
  const firstOf = ({ text }: LogPart) => written.indexOf(eventsIn(text)[0] ?? '')
  const inOrder = parts.filter(({ text }) => text !== '').sort((one, other) => firstOf(one) - firstOf(other))
  const faults = inOrder.flatMap((part, index) =>
    unreadableLines(
      basename(part.path),
      part.text,
      index === inOrder.length - 1 ? halfLineBytes(journal) : 0,
    ),
  )
  return [
    ...faults,
    ...missingEvents(
      agent.id,
      written,
      inOrder.flatMap(({ text }) => eventsIn(text)),
    ),
  ]
}

/** Archived stream logs that belong to none of these agents. A second one of the same agent is a fault of its archive. */
export async function strayArchives(rig: SystemUnderTest, agents: Agent[]): Promise<string[]> {
  const { resources } = await rig.snapshot()
  const anybodys = agents[0] && streamLogOfAnybody(agents[0])
  return resources.flatMap(one => {
    if (one.kind !== 'file' || one.class !== 'archive' || !anybodys?.test(basename(one.path))) return []
    return agents.some(agent => isStreamLogOf(agent, one.path))
      ? []
      : `${basename(one.path)} is in the archive, and is none of the ${agents.length} expected logs`
  })
}

/** Matches the archived stream logs of all agents. */
function streamLogOfAnybody({ rig }: Agent): RegExp | undefined {
  const { archived } = rig.definition.logs ?? {}
  if (archived === undefined) return undefined
  const ofAny = partsOf(archived.replaceAll(/\{\w+\}/g, 'ANY')).source
  return new RegExp(ofAny.replaceAll('ANY', '.+'))
}

/** `halfLine`: how many bytes of an incomplete line the agent itself wrote at its end; they have to be there too. */
function unreadableLines(name: string, text: string, halfLine: number): string[] {
  const lines = text.split('\n')
  const rest = Buffer.byteLength(lines.pop() ?? '')
  const faults = lines.flatMap((line, index) =>
    parsed(line) ? [] : `${name}:${index + 1} is not JSON: ${line.slice(0, 60)}`,
  )
  if (rest !== halfLine)
    faults.push(`${name} ends in ${rest} bytes of an incomplete line, and ${halfLine} were written`)
  return faults
}

function halfLineBytes(journal: JournalEntry[]): number {
  return Number(journal.find(({ what }) => what === 'half line')?.bytes ?? 0)
}

function missingEvents(agent: string, written: string[], archived: string[]): string[] {
  if (written.length === 0) return [`${agent} wrote no event, so its log proves nothing`]
  return written.flatMap((uuid, index) =>
    archived[index] === uuid
      ? []
      : `event ${index + 1} of ${written.length} (${uuid}) is not at its place in the archived stream log`,
  )
}
