import { basename, dirname } from 'node:path'
import type { Agent } from './agent.ts'
import type { JournalEntry } from './journal.ts'
import { eventsIn, isStreamLogOf, type LogPart, logParts, parsed, writtenEvents } from './stream-log.ts'
import type { SystemUnderTest } from './system-under-test.ts'

/** An agent's logs, by the end of their names, with the tool whose calls are recorded in each. */
const logs = [
  { ending: '_stream.jsonl' },
  { ending: '_progress.jsonl', tool: 'update_agent_progress' },
  { ending: '_findings.jsonl', tool: 'report_agent_finding' },
]

/**
 * What is wrong with an agent's archive, in sentences. Nothing, when the archive has a line for every call that was
 * answered, and the stream log has, in order and as whole lines, every event that the fake claude could write to its pipe.
 */
export async function archiveFaults(rig: SystemUnderTest, agent: Agent): Promise<string[]> {
  const folder = `${rig.places.workspace}/${agent.taskId}/archive`
  const journal = await agent.journal()
  const faults: string[] = []
  for (const { ending, tool } of logs) {
    const answered = journal.filter(
      entry => entry.what === 'answer' && entry.tool === tool && !entry.is_error,
    )
    if (tool && answered.length === 0) continue
    const name = `${agent.id}${ending}`
    if (!tool) {
      faults.push(...(await streamFaults(agent, folder, journal)))
      continue
    }
    const text = await rig.probe.read(`${folder}/${name}`)
    if (text === undefined) {
      faults.push(`${name} is not in ${folder}`)
      continue
    }
    const lines = text.split('\n').length - 1
    if (lines < answered.length) faults.push(`${name} has ${lines} lines for ${answered.length} calls`)
    faults.push(...unreadableLines(name, text, 0))
  }
  return faults
}

/** The stream log may have been rotated: then its parts, the oldest first, have to be the whole. */
async function streamFaults(agent: Agent, folder: string, journal: JournalEntry[]): Promise<string[]> {
  const { resources } = await agent.rig.snapshot()
  const archived = resources.filter(one => one.kind === 'file' && dirname(one.path) === folder)
  const parts = await logParts(agent, archived)
  if (parts.length === 0) return [`${agent.id}_stream.jsonl is not in ${folder}`]
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
  return resources.flatMap(one => {
    if (one.kind !== 'file' || one.class !== 'archive' || !one.path.includes('_stream')) return []
    const name = basename(one.path)
    return agents.some(({ id }) => isStreamLogOf(id, name))
      ? []
      : `${name} is in the archive, and is none of the ${agents.length} expected logs`
  })
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
