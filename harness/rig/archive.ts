import { basename } from 'node:path'
import type { Agent } from './agent.ts'
import type { JournalEntry } from './journal.ts'
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
    const text = await rig.probe.read(`${folder}/${name}`)
    if (text === undefined) {
      faults.push(`${name} is not in ${folder}`)
      continue
    }
    const lines = text.split('\n').length - 1
    if (lines < answered.length) faults.push(`${name} has ${lines} lines for ${answered.length} calls`)
    faults.push(...unreadableLines(name, text, tool ? 0 : halfLineBytes(journal)))
    if (!tool) faults.push(...missingEvents(agent.id, journal, text))
  }
  return faults
}

/** Archived stream logs that belong to none of these agents, or are a second one of the same agent. */
export async function strayArchives(rig: SystemUnderTest, agents: Agent[]): Promise<string[]> {
  const { resources } = await rig.snapshot()
  const expected = new Set(agents.map(({ id }) => `${id}_stream.jsonl`))
  return resources.flatMap(one => {
    if (one.kind !== 'file' || one.class !== 'archive' || !one.path.includes('_stream')) return []
    const name = basename(one.path)
    return expected.has(name)
      ? []
      : `${name} is in the archive, and is none of the ${expected.size} expected logs`
  })
}

/** `halfLine`: how many bytes of an incomplete line the agent itself wrote at its end; they have to be there too. */
function unreadableLines(name: string, text: string, halfLine: number): string[] {
  const lines = text.split('\n')
  const rest = Buffer.byteLength(lines.pop() ?? '')
  const faults = lines.flatMap((line, index) =>
    parses(line) ? [] : `${name}:${index + 1} is not JSON: ${line.slice(0, 60)}`,
  )
  if (rest !== halfLine)
    faults.push(`${name} ends in ${rest} bytes of an incomplete line, and ${halfLine} were written`)
  return faults
}

function halfLineBytes(journal: JournalEntry[]): number {
  return Number(journal.find(({ what }) => what === 'half line')?.bytes ?? 0)
}

function missingEvents(agent: string, journal: JournalEntry[], stream: string): string[] {
  const written = journal.flatMap(({ what, uuid }) => (what === 'event' && uuid ? uuid : []))
  if (written.length === 0) return [`${agent} wrote no event, so its log proves nothing`]
  const archived = stream
    .split('\n')
    .filter(parses)
    .map(line => String(JSON.parse(line).uuid))
  return written.flatMap((uuid, index) =>
    archived[index] === uuid
      ? []
      : `event ${index + 1} of ${written.length} (${uuid}) is not at its place in the archived stream log`,
  )
}

function parses(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object'
  } catch {
    return false
  }
}
