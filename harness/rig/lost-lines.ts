import { basename, dirname, extname } from 'node:path'
import { shellWord } from '../terminal.ts'
import type { Finding } from '../verdict/verdict.ts'
import type { Agent } from './agent.ts'
import { eventsIn, isStreamLogOf, logParts, logPaths, writtenEvents } from './stream-log.ts'

/**
 * Adds the lines of an agent's stream log that are lost to the last verdict, which then is no pass, and returns the finding
 * in a list, which is empty when nothing is lost.
 */
export async function findLostLines(agent: Agent): Promise<Finding[]> {
  const lost = await lostLines(agent)
  agent.rig.addLeaks(lost)
  return lost
}

/**
 * The lines that an agent's claude wrote to its stream log and that no file has any more, as one finding; none while a process
 * of the agent still holds the log. A line that lies outside of the archive is not lost: its file is a leak.
 */
async function lostLines(agent: Agent): Promise<Finding[]> {
  const { id, rig } = agent
  const live = logPaths(agent)?.live
  if (live === undefined) return []
  const { resources } = await rig.snapshot()
  const isWritten = resources.some(
    one =>
      one.kind === 'descriptor' &&
      one.mode !== 'r' &&
      one.owner?.agent === id &&
      isStreamLogOf(agent, one.path),
  )
  if (isWritten) return []
  const written = writtenEvents(await agent.journal())
  const parts = await logParts(agent, resources)
  const kept = new Set(parts.flatMap(({ text }) => eventsIn(text)))
  const lost = written.filter(uuid => !kept.has(uuid)).length
  if (lost === 0) return []
  const ending = extname(live)
  const folder = live.startsWith(`${rig.places.work}/`) ? rig.places.work : dirname(live)
  const name = basename(live)
  return [
    {
      verdict: 'leak',
      kind: 'line',
      id: `lines of ${id}`,
      what: `${lost} of ${written.length} lines of the stream log ${name} are lost`,
      owner: { agent: id, evidence: 'its claude wrote them' },
      mechanism: 'lines-lost',
      why:
        parts.length > 0
          ? 'no file has them: nobody saved them before their writer ended'
          : 'no file of the log is left: nobody saved it before its writer ended',
      command: `find ${shellWord(folder)} -name ${shellWord(`${basename(live, ending)}*`)} -exec wc -l {} +`,
      outlivedMs: rig.msSinceEnding,
    },
  ]
}
