import { setImmediate as nextTurn } from 'node:timers/promises'
import { livingSuspects, recordSuspects } from '../claims/leftovers/suspects.ts'
import { observe } from '../claims/observe.ts'
import type { Suspect } from '../claims/suspect.ts'
import type { ProvenSession } from '../claims/which-server.ts'
import { attempt, attemptAsync, CleanupError, takesNoWrites } from '../errors.ts'
import type { Log } from '../log.ts'
import { limitMet } from '../platform/limits.ts'
import { readTable, startOf } from '../platform/processes/table.ts'
import { programFile } from '../programs.ts'
import { agentFiles } from '../registry/agent-files.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { lostOf, recordDone, recordProblems, writeIntent, writeIntentIfPossible } from '../registry/intent.ts'
import { type AgentRef, validateRef } from '../registry/layout.ts'
import { type Ending, isDone, isSameRun } from '../registry/lifecycle.ts'
import { agentByte, agentLockFile, type Lock, lock, lockNow } from '../registry/locks.ts'
import { peekGlobalRegistry, peekTaskRegistry, readAgent, requireAgent } from '../registry/registry.ts'
import { syncGlobal } from '../registry/sync-global.ts'
import { recordedWorld, requireDeployedHere } from '../registry/world.ts'
import { withCleanupLog } from './cleanup-log.ts'
import { executePlan } from './execute.ts'
import { HOOKS_GRACE_MS } from './grace.ts'
import { type PlannedCleanup, planCleanup } from './plan.ts'
import { ReplyLock, repliesSent } from './reply-lock.ts'
import { type CleanUpReport, emptyReport, type Outcome, outcomeOf } from './report.ts'
import { spawnDetached } from './spawn-detached.ts'

export interface CleanUpOptions extends Ending {
  /** How long, in ms, the agent's processes get from the first TERM to the KILL; by default what the agent needs (grace.ts). */
  graceMs?: number | undefined
  log?: Log
  /** Set by the hand-over program: it is outside the agent already, and must not hand over again. */
  handedOver?: boolean
  /** Set by the daemon, which tries again by itself: it leaves what somebody unseen has started again alone. */
  isRetry?: boolean
  /** Set by a caller that has seen the agent here, which its entry need not show (claims/seen-from-here.ts). */
  wasSeen?: boolean | undefined
  /** The agent's session, set by a caller that has seen more than its name (claims/which-server.ts). */
  proven?: ProvenSession | undefined
}

/** How much of a reason is handed over where it could not be recorded: a tmux server takes 16 KiB of a command. */
const MOST_OF_REASON = 1_000

/** How much longer than its grace, in ms, a cleanup waits for another cleaner of the same agent. */
const OTHER_CLEANER_MS = 10_000

/**
 * Ends an agent's processes and its tmux session, removes its prompt, moves its logs to the archive, and records that in
 * both registries; nothing else is touched. The intent is on disk before anything is ended, and every step can be
 * repeated: after a kill -9 at any moment the next call goes on. Where nothing can be written (a full disk) the processes are
 * ended all the same, and the outcome is `unfinished`. When several cleaners meet, one works and the others wait for it.
 * Throws a CleanupError, with nothing ended and nothing deleted, for what could not be read or asked, and for ids and paths
 * that leave the workspace.
 */
export async function cleanUp(ref: AgentRef, options: CleanUpOptions): Promise<CleanUpReport> {
  const startedAt = performance.now()
  const { graceMs } = options
  const by = options.handedOver ? 'hand-over' : options.isRetry ? 'daemon' : 'call'
  const log = withCleanupLog(options.log ?? (() => {}), by)
  validateRef(ref)
  const registry = peekTaskRegistry(ref.workspace, ref.taskId)
  const before = requireAgent(registry, ref)
  const report = emptyReport(ref, before.status)
  const finish = (outcome: Outcome): CleanUpReport => {
    const finished = { ...report, outcome, ms: performance.now() - startedAt }
    const { problems, suspects } = finished
    const named = suspects.length > 0 && { suspects: suspects.map(describe) }
    log({ event: 'cleaned', agent: ref.agentId, outcome, ms: Math.round(finished.ms), problems, ...named })
    return finished
  }
  const alreadyClean = async (entry: AgentEntry) => {
    report.notes.push(...lostOf(entry.cleanup))
    if (entry.cleanup?.suspects) report.suspects = livingSuspects(entry, await readTable())
    return finish('already-clean')
  }
  if (isDone(before)) return alreadyClean(before)
  requireDeployedHere(ref, before)
  agentFiles(ref, before)
  // Nothing is ended while the other registry cannot be read, or is not one.
  peekGlobalRegistry(ref.workspace)

  using reply = new ReplyLock(ref)
  log({ event: 'intent', agent: ref.agentId, status: options.status, reason: options.reason })
  const { wasSeen = false, proven } = options
  const observing = observe(ref, registry, { wasSeen, proven })
  observing.catch(() => {})
  // After one turn of the event loop tmux is working on its reply, and the registries are written in the meantime.
  await nextTurn()
  // Only the processes show whether an agent without a record of its world may be cleaned up from here.
  if (!recordedWorld(before)) await observing.catch(rethrowElsewhere)
  const cleaner = { pid: process.pid, start: startOf(process.pid) ?? 0 }
  const [intent, observation] = await Promise.all([
    writeIntentIfPossible(ref, before, options, cleaner),
    observing,
  ])
  let { entry, unwritten } = intent
  report.status = unwritten === undefined ? entry.status : before.status
  for (const list of [report.lost, report.problems]) list.push(...lostOf(entry.cleanup))
  let plan = planCleanup(observation, options)
  if (plan.handsOver) {
    if (unwritten === undefined) await syncGlobal(ref).catch(rethrowUnlessFull)
    await handOver(plan, options, log, unwritten === undefined)
    reply.sent()
    return finish('handed-over')
  }

  reply[Symbol.dispose]()
  const cleanupLock = await acquireCleanupLock(ref, graceMs)
  using _ = cleanupLock.lock
  const now = peekTaskRegistry(ref.workspace, ref.taskId)
  const entryNow = requireAgent(now, ref)
  if (isDone(entryNow)) return alreadyClean(entryNow)
  if (unwritten !== undefined && !isSameRun(before, entryNow))
    throw new CleanupError('registry-unwritable', `${unwritten} Its entry has changed meanwhile.`)
  if (cleanupLock.waited)
    plan = planCleanup(await observe(ref, now, { wasSeen, proven }), { isRetry: options.isRetry ?? false })
  // Written while the processes end: the first signals are sent in this turn of the event loop.
  const synced = nextTurn().then(() => (unwritten === undefined ? syncGlobal(ref) : undefined))
  synced.catch(() => {})
  const restarts = await executePlan(plan, graceMs ?? plan.graceMs, report, log)
  // A registry that cannot be written (a full disk) undoes nothing: the next cleanup writes it.
  const onFailure = (problem: string) => {
    if (!report.problems.includes(problem)) report.problems.push(problem)
  }
  await attemptAsync(() => synced, onFailure)
  if (unwritten !== undefined) {
    // What was removed may have made room.
    await attemptAsync(
      async () => {
        entry = await writeIntent(ref, entryNow, options, cleaner)
        unwritten = undefined
        report.status = entry.status
      },
      why => onFailure(`The agent was ended, and that could not be recorded (${options.status}). ${why}`),
    )
    if (unwritten !== undefined) return finish(outcomeOf(report))
  }
  if (report.problems.some(problem => !report.lost.includes(problem))) {
    await attemptAsync(() => recordProblems(ref, report.problems, report.lost, restarts), onFailure)
    return finish(outcomeOf(report))
  }
  log({ event: 'done', agent: ref.agentId })
  await attemptAsync(async () => {
    const { status, reason = options.reason } = entry
    const { supervisors } = restarts
    const left = { lost: report.lost, suspects: recordSuspects(report.suspects), supervisors }
    if (!(await recordDone(ref, plan.observation.entry, { status, reason }, left)))
      report.problems.push(
        `${ref.agentId} was given a place in tmux while it was being cleaned up, by a deploy that went on; clean it up once more.`,
      )
  }, onFailure)
  return finish(outcomeOf(report))
}

/** Other failures do not stop the intent: whoever can ask finishes the cleanup. */
function rethrowElsewhere(error: unknown): void {
  if (error instanceof CleanupError && error.code === 'elsewhere') throw error
}

/** The other process writes the global registry too. */
function rethrowUnlessFull(error: unknown): void {
  if (!takesNoWrites(error)) throw error
}

/** A suspect in one line, for a log. */
const describe = ({ pid, comm, command, resemblances }: Suspect): string =>
  `process ${pid} (${comm}) ${command.slice(0, 200)}: ${resemblances.join('; ')}`

/** Goes on with a cleanup whose intent is on disk. Every step can be repeated, so it begins with the first. */
export function resume(
  ref: AgentRef,
  options: Omit<CleanUpOptions, 'status' | 'reason'>,
): Promise<CleanUpReport> {
  const { status, reason, cleanup } = readAgent(ref)
  return cleanUp(ref, { ...options, status, reason: cleanup?.reason ?? reason ?? '' })
}

/**
 * Hands a cleanup to a process outside the agent: a cleaner that runs below the pane it ends would die halfway. If the intent
 * is on disk by now (`isRecorded`), the other process needs only the agent's name.
 */
async function handOver(
  { observation: { ref, location } }: PlannedCleanup,
  { handedOver, graceMs, status, reason }: CleanUpOptions,
  log: Log,
  isRecorded: boolean,
): Promise<void> {
  if (handedOver)
    throw new CleanupError(
      'cannot-hand-over',
      `The cleanup of ${ref.agentId} was handed to a process that is part of the agent too; nothing was ended. Run it from outside the agent.`,
    )
  log({ event: 'hand-over', agent: ref.agentId })
  const ending = isRecorded ? [] : [status, reason.slice(0, MOST_OF_REASON)]
  const args = [
    ref.workspace,
    ref.taskId,
    ref.agentId,
    graceMs === undefined ? '' : String(graceMs),
    ...ending,
  ]
  const server = location.server && { socket: location.path, pid: location.server.pid }
  await spawnDetached(programFile('hand-over'), args, server).catch((error: unknown) => {
    const limit = limitMet(error)
    if (limit === undefined) throw error
    throw new CleanupError(
      'cannot-hand-over',
      `The cleanup of ${ref.agentId} has to be done by a process outside the agent, and none could be started: ${limit}. ${isRecorded ? 'Its end is recorded, so the daemon or the next sweep cleans up' : 'Its end could not be recorded either; end it from outside'}.`,
      { cause: error },
    )
  })
}

/**
 * One cleaner per agent: the others wait until it is done or dead, and it waits until every caller inside has its reply. Where
 * no lock file can be made or opened for writing, there is none: two cleaners send the same signals then, and move no file
 * twice.
 */
async function acquireCleanupLock(
  ref: AgentRef,
  graceMs = HOOKS_GRACE_MS,
): Promise<{ lock: Lock | undefined; waited: boolean }> {
  const file = agentLockFile(ref)
  const byte = agentByte(ref.agentId)
  const onFull = (_: string, error: unknown) => {
    if (!takesNoWrites(error)) throw error
  }
  const free = attempt(() => lockNow(file, byte), onFull)
  const held = free ?? (await attemptAsync(() => lock(file, byte, graceMs + OTHER_CLEANER_MS), onFull))
  const waited = await repliesSent(ref)
  return { lock: held, waited: waited || !free }
}
