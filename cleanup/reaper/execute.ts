import type { Claims } from '../claims/evidence.ts'
import type { Scene } from '../claims/observation.ts'
import { otherUsers } from '../claims/other-users.ts'
import { unattributable } from '../claims/suspects.ts'
import { words } from '../errors.ts'
import { removeCgroup } from '../platform/processes/cgroup.ts'
import { tellsOpenFiles } from '../platform/processes/open-files.ts'
import { killPanes, killSession } from '../tmux/kill-session.ts'
import { putAway } from './archive-files.ts'
import { findLeftovers } from './claude-leftovers/find.ts'
import { removeLeftovers } from './claude-leftovers/remove.ts'
import { type Ended, endProcesses } from './end-processes.ts'
import type { CleanUpReport, Log } from './report.ts'

/**
 * Does the work of a cleaning whose intent is on disk: ends the processes, then the session, then puts the files away.
 * Everything that was done, and everything that is left, goes into the report.
 */
export async function carryOut(
  first: Scene,
  firstClaims: Claims,
  graceMs: number,
  report: CleanUpReport,
  log: Log,
): Promise<void> {
  const leftovers = findLeftovers(first, firstClaims)
  const last = await endProcesses(first, firstClaims, graceMs, log)
  const { roster, survivors, scene, claims } = last
  report.ended = roster.ended()
  for (const { claim: survivor, refused } of survivors)
    report.problems.push(
      `Process ${survivor.process.pid} (${survivor.process.comm}) is still there: ${refused ? 'we may not signal it' : 'it did not end even after KILL'}.`,
    )
  if (claims.unreadable.length > 0)
    report.notes.push(
      `The environment of ${claims.unreadable.length} processes could not be read, so none of them was claimed by it.`,
    )
  if (scene.namesake) report.notes.push(scene.namesake.why)
  report.session = await closeSession(first, last, report, log)
  report.problems.push(...otherUsers(firstClaims, claims))
  removeLeftovers(leftovers, roster.claims(), report, log)
  if (tellsOpenFiles || survivors.length === 0) putAway(scene, report, log)
  else
    report.problems.push(
      'The logs stay where they are: who writes them cannot be told here while a process lives.',
    )
  leaveCgroup(scene, report, log)
  report.zombies = roster.zombies()
  report.unattributable = unattributable(scene, claims)
}

function leaveCgroup({ contained: { cgroup } }: Scene, report: CleanUpReport, log: Log): void {
  if (!cgroup) return
  log({ event: 'remove', file: cgroup.path })
  try {
    removeCgroup(cgroup.path)
    report.removed.push(cgroup.path)
  } catch (error) {
    report.problems.push(`The cgroup ${cgroup.path} could not be removed: ${words(error)}.`)
  }
}

async function closeSession(
  first: Scene,
  { scene, tmuxError, isSessionKilled }: Ended,
  report: CleanUpReport,
  log: Log,
): Promise<CleanUpReport['session']> {
  try {
    if (tmuxError !== undefined) throw tmuxError
    if (scene.namesake) {
      for (const { id } of scene.where.panes) log({ event: 'kill-pane', agent: scene.ref.agentId, pane: id })
      await killPanes(scene.entry, scene.where)
      return 'left-alone'
    }
    if (isSessionKilled && !scene.where.session) return 'killed'
    if (!scene.where.session) return first.where.session ? 'ended-by-itself' : 'was-gone'
    log({ event: 'kill-session', agent: scene.ref.agentId, session: scene.where.session.id })
    await killSession(scene.entry, scene.where, scene.where.session)
    return 'killed'
  } catch (error) {
    report.problems.push(words(error))
    return 'unknown'
  }
}
