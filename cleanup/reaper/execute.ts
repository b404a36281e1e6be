import type { Claims } from '../claims/evidence.ts'
import type { Observation } from '../claims/observation.ts'
import { describeOtherUsers } from '../claims/other-users.ts'
import { findSuspects } from '../claims/suspects.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { removeCgroup } from '../platform/processes/cgroup.ts'
import { tellsOpenFiles } from '../platform/processes/open-files.ts'
import { killPanes, killSession } from '../tmux/kill-session.ts'
import { archiveFiles } from './archive-files.ts'
import { findClaudeLeftovers } from './claude-leftovers/find.ts'
import { removeClaudeLeftovers } from './claude-leftovers/remove.ts'
import { type Ended, endProcesses } from './end-processes.ts'
import type { CleanUpReport } from './report.ts'

/**
 * Does the work of a cleaning whose intent is on disk: ends the processes, then the session, then puts the files away.
 * Everything that was done, and everything that is left, goes into the report.
 */
export async function executeCleanup(
  first: Observation,
  firstClaims: Claims,
  graceMs: number,
  report: CleanUpReport,
  log: Log,
): Promise<void> {
  const leftovers = findClaudeLeftovers(first, firstClaims)
  const last = await endProcesses(first, firstClaims, graceMs, log)
  const { tracked, survivors, observation, claims } = last
  report.ended = tracked.ended()
  for (const { claim: survivor, refused } of survivors)
    report.problems.push(
      `Process ${survivor.process.pid} (${survivor.process.comm}) is still there: ${refused ? 'we may not signal it' : 'it did not end even after KILL'}.`,
    )
  if (claims.unreadable.length > 0)
    report.notes.push(
      `The environment of ${claims.unreadable.length} processes could not be read, so none of them was claimed by it.`,
    )
  if (observation.sharedSession) report.notes.push(observation.sharedSession.why)
  report.session = await closeSession(first, last, report, log)
  report.problems.push(...describeOtherUsers(firstClaims, claims))
  removeClaudeLeftovers(leftovers, tracked.claims(), report, log)
  if (tellsOpenFiles || survivors.length === 0) archiveFiles(observation, report, log)
  else
    report.problems.push(
      'The logs stay where they are: who writes them cannot be told here while a process lives.',
    )
  leaveCgroup(observation, report, log)
  report.zombies = tracked.zombies()
  report.suspects = findSuspects(observation, claims)
}

function leaveCgroup({ contained: { cgroup } }: Observation, report: CleanUpReport, log: Log): void {
  if (!cgroup) return
  log({ event: 'remove', file: cgroup.path })
  try {
    removeCgroup(cgroup.path)
    report.removed.push(cgroup.path)
  } catch (error) {
    report.problems.push(`The cgroup ${cgroup.path} could not be removed: ${messageOf(error)}.`)
  }
}

async function closeSession(
  first: Observation,
  { observation, tmuxError, isSessionKilled }: Ended,
  report: CleanUpReport,
  log: Log,
): Promise<CleanUpReport['session']> {
  try {
    if (tmuxError !== undefined) throw tmuxError
    if (observation.sharedSession) {
      for (const { id } of observation.location.panes)
        log({ event: 'kill-pane', agent: observation.ref.agentId, pane: id })
      await killPanes(observation.entry, observation.location)
      return 'left-alone'
    }
    if (isSessionKilled && !observation.location.session) return 'killed'
    if (!observation.location.session) return first.location.session ? 'ended-by-itself' : 'was-gone'
    log({ event: 'kill-session', agent: observation.ref.agentId, session: observation.location.session.id })
    await killSession(observation.entry, observation.location, observation.location.session)
    return 'killed'
  } catch (error) {
    report.problems.push(messageOf(error))
    return 'unknown'
  }
}
