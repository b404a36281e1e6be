import type { Claims } from '../../claims/evidence.ts'
import type { Observation } from '../../claims/observation.ts'
import { loggedSession } from '../../registry/stream-log.ts'
import { findByPid, findFolderNotes, findSnapshots, type OwnClaude } from './by-claude.ts'
import { findOfService } from './by-service.ts'
import { teamsOf, temporaryOf } from './by-session.ts'
import type { ClaudeLeftovers } from './leftover.ts'
import { readRecords, type SessionRecord } from './records.ts'
import { claudesOf, Search } from './search.ts'
import { foreignTranscript, othersInSession, proofOf, recordsOfDead } from './session.ts'

/**
 * Finds the files that an agent's claudes leave when they are killed: a cleanup removes exactly these. To be called before
 * anything is ended, because only living processes show whose many of them are. A claude that ends by itself removes most
 * of them. Changes nothing; what cannot be read counts as not there.
 */
export function findClaudeLeftovers(observation: Observation, claims: Claims): ClaudeLeftovers {
  const log = loggedSession(observation.log)
  const living = claudesOf(claims, observation.table)
  // No claude ever ran in this agent.
  if (log.id === undefined && living.length === 0)
    return { going: [], stays: [], session: undefined, places: { folders: [], bases: [] } }
  const search = new Search(observation, claims, log, living)
  const records = readRecords(search.places, search.leave)
  const session = findBySession(search, records)
  const dead = session.isOlder ? [] : recordsOfDead(search, records)
  const claudes: OwnClaude[] = [
    ...search.living.map(one => ({ ...one, sinceMs: one.startedMs })),
    ...dead.map(one => ({ pid: one.pid, startedMs: one.startedMs, sinceMs: search.beganMs })),
  ]
  findSnapshots(search, claudes)
  findFolderNotes(search, claudes)
  findOfService(search)
  findByPid(search, claudes, records)
  const { places } = search
  return { going: search.going(), stays: search.stays(), session: log.id, places }
}

/** Finds the files of the session that the log names, if it is the agent's. Returns whether the session is older than the agent. */
function findBySession(search: Search, records: SessionRecord[]): { isOlder: boolean } {
  const { id } = search.log
  if (id === undefined) return { isOlder: false }
  const found = [temporaryOf(search, id), teamsOf(search, id)]
  const entries = found.flatMap(one => one.entries)
  if (entries.length === 0 && recordsOfDead(search, records).length === 0) return { isOlder: false }
  const older = found.find(one => one.older)?.older ?? foreignTranscript(search)
  const proof = proofOf(search, records)
  const objection = older ?? (proof ? othersInSession(search, records) : 'only its log names it')
  if (objection === undefined)
    for (const { root, entry, why } of entries) search.take(root, entry, `${why}; ${proof}`, 'session')
  else if (entries.length > 0)
    search.leave(`the files of the session ${id} are not taken for the agent's and stay: ${objection}`)
  return { isOlder: older !== undefined }
}
