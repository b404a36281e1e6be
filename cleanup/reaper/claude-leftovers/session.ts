import { pid as ownPid } from 'node:process'
import { readProc } from '../../platform/processes/proc-file.ts'
import { hasEnded } from '../../platform/processes/stat.ts'
import { CLOCKS_MS } from './beginning.ts'
import { type Entry, entryIn, namesIn, openOwn, openOwnIn } from './own-folder.ts'
import { environmentOf, type Places } from './places.ts'
import { isDead, readRecords, type SessionRecord } from './records.ts'
import type { Search } from './search.ts'

/** How long after its agent a claude begins, in ms, of which only a record is left. */
const BEGINS_WITHIN_MS = 60_000

/**
 * The records of the agent's dead claudes: each names the session that the log names, is of a claude that began when the agent did,
 * and in its folder. That the log names the session would not be enough: the agent writes it, and may name the user's.
 */
export function recordsOfDead(
  { log, beganMs, workFolders }: Search,
  records: SessionRecord[],
): SessionRecord[] {
  return records.filter(({ pid, sessionId, startedMs, folder }) => {
    if (beganMs === undefined || sessionId === undefined || sessionId !== log.id || !isDead(pid)) return false
    const began = startedMs >= beganMs - CLOCKS_MS && startedMs <= beganMs + BEGINS_WITHIN_MS
    return began && (folder === undefined || workFolders.size === 0 || workFolders.has(folder))
  })
}

/** Why the session that the log names is the agent's; undefined when only the log says so. */
export function proofOf(search: Search, records: SessionRecord[]): string | undefined {
  const { living, claims, log } = search
  const own = records.find(({ pid, sessionId, entry }) =>
    living.some(one => one.pid === pid && sessionId === log.id && entry.bornMs >= one.startedMs - CLOCKS_MS),
  )
  if (own) return `the record of its claude ${own.pid} names the session`
  const [dead] = recordsOfDead(search, records)
  if (dead) return `the record of its claude ${dead.pid}, which is dead, names the session`
  const told = [...claims.claimed.keys()].find(pid => wasStartedIn(pid, log.id))
  return told === undefined ? undefined : `its process ${told} was started in the session`
}

/** Who else has a session: a claude that lives and has taken it up, or what was started in it and is not the agent's. */
export function othersInSession(search: Search, records: SessionRecord[]): string | undefined {
  const { claims, observation, log } = search
  const claude = livingIn(log.id, records).find(pid => !claims.claimed.has(pid))
  if (claude !== undefined)
    return `the record of process ${claude}, which lives and is not the agent's, names it`
  const process = [...observation.table.values()].find(
    one =>
      !one.kernel &&
      one.pid !== ownPid &&
      one.pid !== observation.location.server?.pid &&
      !hasEnded(one) &&
      !claims.claimed.has(one.pid) &&
      // Another agent, or a server, that was started by this one.
      one.environment.marker === undefined &&
      wasStartedIn(one.pid, log.id),
  )
  return process && `process ${process.pid} (${process.comm}), which is not the agent's, was started in it`
}

/** True for a process of our user's whose initial environment names the session. Most of a machine's are told by a search of the bytes. */
function wasStartedIn(pid: number, session = ''): boolean {
  const bytes = readProc(`/proc/${pid}/environ`)
  if (typeof bytes === 'string' || !bytes.includes(session)) return false
  return environmentOf(pid)?.get('CLAUDE_CODE_SESSION_ID') === session
}

/** True when a claude that lives has a session by now: it may have taken it up (`claude --resume`) since it was looked at. */
export const isTakenUp = (session: string | undefined, places: Places): boolean =>
  session !== undefined &&
  livingIn(
    session,
    readRecords(places, () => {}),
  ).length > 0

const livingIn = (session: string | undefined, records: SessionRecord[]): number[] =>
  records.filter(({ pid, sessionId }) => sessionId === session && !isDead(pid)).map(({ pid }) => pid)

/** Why a session is not the agent's by its transcript (`projects/<folder>/<session>.jsonl`): made before the agent, or in another folder. */
export function foreignTranscript(search: Search): string | undefined {
  const { log, places, workFolders } = search
  const slugs = new Set([...workFolders].map(slugOf))
  for (const at of places.folders) {
    let refused: string | undefined
    const refuse = (why: string) => {
      refused = why
    }
    using projects = openOwn(at.root, [at.name, 'projects'], refuse)
    if (refused !== undefined) return `it cannot be told how old it is: ${refused}`
    for (const slug of namesIn(projects)) {
      using project = projects && openOwnIn(projects, slug)
      const transcript = project && entryIn(project, `${log.id}.jsonl`)
      if (!transcript) continue
      if (isOlder(search, transcript)) return `its transcript ${transcript.file} is older than the agent`
      if (slugs.size > 0 && !slugs.has(slugOf(slug)))
        return `its transcript ${transcript.file} is of another folder`
    }
  }
  return undefined
}

/** True for what was made before the agent began. */
export const isOlder = ({ beganMs }: Search, { bornMs }: Entry): boolean =>
  beganMs === undefined || bornMs < beganMs - CLOCKS_MS

/** How claude names its folder for a folder that it works in; of a long name we compare the beginning, because claude shortens it. */
export const slugOf = (folder: string): string =>
  folder.replaceAll(/[^A-Za-z0-9]/g, '-').slice(0, SLUG_LENGTH)
const SLUG_LENGTH = 100
