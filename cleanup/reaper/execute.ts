import { describeSharedServices } from '../claims/background/describe.ts'
import type { Observation } from '../claims/observation.ts'
import { describeServiceClients } from '../claims/service-clients.ts'
import { findSuspects } from '../claims/suspects.ts'
import { attempt, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { limitMet } from '../platform/limits.ts'
import { removeCgroup } from '../platform/processes/cgroup.ts'
import { tellsOpenFiles } from '../platform/processes/open-files.ts'
import { signal } from '../platform/processes/signals.ts'
import { killPanes, killSession } from '../tmux/kill-session.ts'
import type { AgentPane } from '../tmux/locate.ts'
import { startCommandOf } from '../tmux/panes.ts'
import { archiveFiles } from './archive-files.ts'
import { removeClaudeLeftovers } from './claude-leftovers/remove.ts'
import { type RecordedRestarts, restartsToRecord } from './earlier-restarts.ts'
import { type EndResult, endProcesses } from './end-processes.ts'
import { HeldLogs } from './held-logs.ts'
import { LogPipes } from './log-pipes.ts'
import { logSignal } from './log-signal.ts'
import { type ExpectedLog, expectedLog, lostLines } from './lost-lines.ts'
import { describeOtherUsers, type PlannedCleanup } from './plan.ts'
import type { CleanUpReport } from './report.ts'
import { describeNewSession, describeRestart, describeSupervisor } from './supervisors.ts'

/**
 * Carries out a plan: ends the processes, then the session, then removes and archives the files. The plan may be out of
 * date, so each step checks again: processes that came later are claimed and ended too, and nothing is touched that is no
 * longer the same. Everything that was done, and everything that is left, goes into the report. Returns what the next cleanup
 * has to know of those who start the agent again.
 */
export async function executePlan(
  plan: PlannedCleanup,
  graceMs: number,
  report: CleanUpReport,
  log: Log,
): Promise<RecordedRestarts> {
  // Named now: their command lines end with them.
  report.notes.push(...describeServiceClients(plan.claims))
  using held = new HeldLogs(plan.observation, plan.claims, plan.hasFiles)
  const expected = expectedLog(plan, held)
  const kept = keepUnsaved(plan, held, report, log)
  using pipes = new LogPipes(plan, kept.size === 0 ? held.byWriter() : new Map())
  const result = await endProcesses(plan, graceMs, log, pipes, kept)
  const unwritten = pipes.lost(result.survivors.map(({ claim }) => claim.process))
  report.lost.push(...unwritten)
  report.problems.push(...unwritten)
  const { tracked, survivors, observation, claims } = result
  report.ended = tracked.ended()
  for (const { claim: survivor, refused } of survivors)
    report.problems.push(
      `Process ${survivor.process.pid} (${survivor.process.comm}) is still there: ${refused ? 'we may not signal it' : 'it did not end even after KILL'}.`,
    )
  const restarted = tracked.restarted()
  const below = new Set(restarted.map(({ claim }) => claim.process.pid))
  for (const { claim, restartedBy } of restarted)
    if (restartedBy && !below.has(claim.process.ppid))
      report.problems.push(describeRestart(claim, restartedBy))
  const named = new Set(restarted.map(({ restartedBy }) => restartedBy))
  const outside = tracked.supervisors()
  for (const { supervisor, process } of outside)
    if (![...named].some(one => one !== 'unknown' && one?.pid === supervisor.pid))
      report.notes.push(describeSupervisor(supervisor, process))
  if (observation.sharedSession) report.notes.push(observation.sharedSession.why)
  const limit = limitMet(plan.observation.location.tmuxError)
  if (limit !== undefined)
    report.notes.push(
      `No tmux client could be started: ${limit}. What /proc confirmed of the recorded place was ended first.`,
    )
  report.notes.push(...observation.sharedServers.map(({ why }) => why))
  report.session = kept.size > 0 ? 'left-alone' : await closeSession(plan, result, report, log)
  report.problems.push(...describeOtherUsers(plan.claims, claims))
  const shared = describeSharedServices(observation, claims)
  report.problems.push(...shared.problems)
  report.notes.push(...shared.notes)
  removeClaudeLeftovers(plan.claudeLeftovers, tracked.claims(), report, log)
  if (kept.size === 0) saveLines(plan, held, expected, observation, report)
  if (plan.hasFiles && (tellsOpenFiles || survivors.length === 0)) archiveFiles(observation, report, log)
  else if (plan.hasFiles)
    report.problems.push(
      'The logs stay where they are: this system does not show who writes them, and a process still lives.',
    )
  if (kept.size === 0) removeAgentCgroup(observation, report, log)
  report.zombies = tracked.zombies()
  report.suspects = findSuspects(observation, claims, plan)
  return restartsToRecord(
    plan.observation.entry,
    tracked.restarted(),
    outside.map(({ supervisor }) => supervisor),
  )
}

/**
 * Saves a stream log that has lost its name, before the first signal: only the agent's processes hold it. Where that fails
 * (a full disk), the processes that write it are stopped and kept, with those above them: all else of the agent ends, and the
 * next cleanup tries again. Returns the pids that are kept.
 */
function keepUnsaved(
  { claims: { claimed }, observation: { ref } }: PlannedCleanup,
  held: HeldLogs,
  report: CleanUpReport,
  log: Log,
): ReadonlySet<number> {
  const kept = new Set<number>()
  const [why] = held.save(false)
  if (why === undefined) return kept
  for (const writer of held.writers()) {
    for (let at = claimed.get(writer); at; at = claimed.get(at.process.ppid)) kept.add(at.process.pid)
    const claim = claimed.get(writer)
    if (!claim) continue
    const { process } = claim
    logSignal(log, { claim, role: 'log-writer' }, 'SIGSTOP', ref.agentId)
    signal(process, 'SIGSTOP')
    report.problems.push(
      `The stream log has lost its name and could not be saved: ${why}. Process ${process.pid} (${process.comm}), which holds its lines, was stopped and stays with its pane; make room, then clean up again.`,
    )
  }
  return kept
}

/** Completes what was saved once every writer has ended, and reports what is lost. */
function saveLines(
  plan: PlannedCleanup,
  held: HeldLogs,
  expected: ExpectedLog,
  now: Observation,
  report: CleanUpReport,
): void {
  attempt(
    () => {
      const writer = held.stillWritten(now)
      if (writer !== undefined) {
        report.problems.push(
          `The stream log has lost its name, and process ${writer}, which could not be claimed for the agent or did not end, still writes it.`,
        )
        return
      }
      const unsaved = held
        .save(true)
        .map(
          why =>
            `The stream log had lost its name, and its last lines could not be saved: ${why}. They are lost.`,
        )
      if (!plan.hasFiles) report.archived.push(...held.copies())
      const lost = [...unsaved, ...held.unsavable(), ...(plan.hasFiles ? lostLines(plan, expected) : [])]
      report.lost.push(...lost)
      report.problems.push(...lost)
    },
    why => report.problems.push(`The stream log could not be checked for lost lines: ${why}.`),
  )
}

function removeAgentCgroup({ contained: { cgroup } }: Observation, report: CleanUpReport, log: Log): void {
  if (!cgroup) return
  log({ event: 'remove', file: cgroup.path })
  try {
    removeCgroup(cgroup.path)
    report.removed.push(cgroup.path)
  } catch (error) {
    report.problems.push(`The cgroup ${cgroup.path} could not be removed: ${messageOf(error)}.`)
  }
}

/** Closes the agent's dead panes that another session shows: with `remain-on-exit` they would stay there. */
async function closeMovedPanes(
  { claims, observation: before }: PlannedCleanup,
  observation: Observation,
  log: Log,
): Promise<void> {
  const { entry, ref, location } = observation
  const wasClaimed = ({ pid }: AgentPane) =>
    claims.claimed.get(pid)?.evidence.some(({ kind }) => kind === 'pane') === true
  // From tmux 3.8 on, a dead pane has no pid.
  const own = new Set(before.location.panes.filter(wasClaimed).map(({ id }) => id))
  const panes: AgentPane[] = []
  for (const pane of location.panes)
    if (pane.shared && pane.dead && (own.has(pane.id) || (await isDeployed(observation, pane))))
      panes.push(pane)
  for (const { id } of panes) log({ event: 'kill-pane', agent: ref.agentId, pane: id })
  await killPanes(entry, { ...location, panes })
}

/**
 * True for the pane of the deploy, also when its process ended before anybody could claim it. The agent can write the record,
 * and put a user's pane there. So the server itself has to show that the pane was started with the agent's pipeline.
 */
async function isDeployed({ location, log }: Observation, { id }: AgentPane): Promise<boolean> {
  const { recorded, server, path } = location
  if (id !== recorded?.pane_id || server?.pid !== recorded.server_pid) return false
  const command = await startCommandOf({ path, pid: server.pid }, id)
  return command?.includes(log) === true
}

async function closeSession(
  plan: PlannedCleanup,
  { tracked, observation, isSessionKilled }: EndResult,
  report: CleanUpReport,
  log: Log,
): Promise<CleanUpReport['session']> {
  const before = plan.observation.location
  try {
    const { tmuxError } = observation.location
    const limit = limitMet(tmuxError)
    if (limit !== undefined)
      throw new Error(
        `tmux could not be asked whether the session of ${observation.ref.agentId} is gone: ${limit}. Raise the limit or end what uses it up; the next cleanup asks again.`,
      )
    if (tmuxError !== undefined) throw tmuxError
    if (observation.sharedSession) {
      for (const { id } of observation.location.panes)
        log({ event: 'kill-pane', agent: observation.ref.agentId, pane: id })
      await killPanes(observation.entry, observation.location)
      return 'left-alone'
    }
    const { session, panes } = observation.location
    await closeMovedPanes(plan, observation, log)
    const restarted = new Set(tracked.restarted().map(({ claim }) => claim.process.pid))
    if (session && panes.some(({ pid, dead }) => !dead && restarted.has(pid))) return 'left-alone'
    const isNew = !before.tmuxError && session && !before.listed.sessions.has(session.id)
    if (isNew && panes.some(({ dead }) => !dead)) {
      report.problems.push(describeNewSession(session))
      return 'left-alone'
    }
    if (isSessionKilled && !session) return 'killed'
    if (!session) return before.session || before.tmuxError ? 'ended-by-itself' : 'was-gone'
    log({ event: 'kill-session', agent: observation.ref.agentId, session: session.id })
    await killSession(observation.entry, observation.location, session)
    return 'killed'
  } catch (error) {
    report.problems.push(messageOf(error))
    return 'unknown'
  }
}
