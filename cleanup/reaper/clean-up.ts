import { setImmediate as immediate } from 'node:timers/promises'
import { claim, isInside } from '../claims/claim.ts'
import type { Observation } from '../claims/observation.ts'
import { observe } from '../claims/observe.ts'
import { CleanupError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { startOf } from '../platform/processes/table.ts'
import { agentFiles } from '../registry/agent-files.ts'
import { recordDone, recordProblems, writeIntent } from '../registry/intent.ts'
import { type AgentRef, validateRef } from '../registry/layout.ts'
import { type Ending, isDone } from '../registry/lifecycle.ts'
import { agentByte, agentLockFile, type Lock, lock, lockNow } from '../registry/locks.ts'
import { peekGlobalRegistry, peekTaskRegistry, requireAgent } from '../registry/registry.ts'
import { syncGlobal } from '../registry/sync-global.ts'
import { executeCleanup } from './execute.ts'
import { handOver } from './hand-over.ts'
import { ReplyLock, repliesSent } from './reply-lock.ts'
import { type CleanUpReport, emptyReport, type Outcome } from './report.ts'

export interface CleanUpOptions extends Ending {
  /** How long, in ms, the agent's processes get from the first TERM to the KILL. claude ends its own children in up to 2 s. */
  graceMs?: number
  log?: Log
  /** Set by the hand-over program: it is outside already, and must not hand over again. */
  handedOver?: boolean
}

/** The grace by default, in ms. A claude that is killed earlier leaves children and files behind that it would have ended. */
export const GRACE_MS = 3_000
/** How much longer than its grace another cleaner is waited for, in ms. */
const OTHER_CLEANER_MS = 10_000

/**
 * Ends what an agent leaves behind, and touches nothing else: its processes, its tmux session, its prompt; its logs
 * go to the archive, and both registries say so. The intent is on disk before anything is ended, and every step can
 * be repeated: after a kill -9 at any moment the next call goes on. Of several cleaners one works, the others wait for it.
 * Throws a CleanupError, with nothing ended and nothing deleted, for what could not be read or asked, and for ids
 * and paths that leave the workspace.
 */
export async function cleanUp(ref: AgentRef, options: CleanUpOptions): Promise<CleanUpReport> {
  const startedAt = performance.now()
  const { graceMs = GRACE_MS, log = () => {} } = options
  validateRef(ref)
  const registry = peekTaskRegistry(ref.workspace, ref.taskId)
  const before = requireAgent(registry, ref)
  const report = emptyReport(ref, before.status)
  const finish = (outcome: Outcome): CleanUpReport => {
    const done = { ...report, outcome, ms: performance.now() - startedAt }
    log({ event: 'cleaned', agent: ref.agentId, outcome, ms: Math.round(done.ms), problems: done.problems })
    return done
  }
  if (isDone(before)) return finish('already-clean')
  agentFiles(ref, before)
  // Nothing is ended whose end could not be told to both registries.
  peekGlobalRegistry(ref.workspace)

  using answer = new ReplyLock(ref)
  log({ event: 'intent', agent: ref.agentId, status: options.status, reason: options.reason })
  const looking = observe(ref, registry)
  looking.catch(() => {})
  // One turn of the event loop later tmux is at work on its answer, and the registries are written in the meantime.
  await immediate()
  const [entry, seen] = await Promise.all([writeIntent(ref, before, options, thisProcess()), looking])
  report.status = entry.status
  const claims = claim(seen)
  if (isInside(claims, options.handedOver)) {
    await syncGlobal(ref)
    await handOverToOutside(seen, options, graceMs, log)
    answer.sent()
    return finish('handed-over')
  }

  answer[Symbol.dispose]()
  const turn = await acquireCleanupLock(ref, graceMs)
  using _ = turn.lock
  const now = peekTaskRegistry(ref.workspace, ref.taskId)
  if (isDone(requireAgent(now, ref))) return finish('already-clean')
  const first = turn.waited ? await observe(ref, now) : seen
  // Written while the processes end: in this turn of the event loop the first signals are sent.
  const mirrored = immediate().then(() => syncGlobal(ref))
  mirrored.catch(() => {})
  await executeCleanup(first, turn.waited ? claim(first) : claims, graceMs, report, log)
  await attempt(report, () => mirrored)
  if (report.problems.length > 0) {
    await attempt(report, () => recordProblems(ref, report.problems))
    return finish('unfinished')
  }
  log({ event: 'done', agent: ref.agentId })
  await attempt(report, async () => {
    const { status, reason = options.reason } = entry
    if (!(await recordDone(ref, first.entry, { status, reason })))
      report.problems.push(
        `${ref.agentId} was given a place in tmux while it was being cleaned up, by a deploy that went on; clean it up once more.`,
      )
  })
  return finish(report.problems.length > 0 ? 'unfinished' : 'clean')
}

/** A registry that cannot be written (a full disk) undoes nothing: it is said, and the next cleaning writes it. */
async function attempt(report: CleanUpReport, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (!report.problems.includes(messageOf(error))) report.problems.push(messageOf(error))
  }
}

async function handOverToOutside(
  observation: Observation,
  options: CleanUpOptions,
  graceMs: number,
  log: Log,
): Promise<void> {
  if (options.handedOver)
    throw new CleanupError(
      'cannot-hand-over',
      `The cleanup of ${observation.ref.agentId} was handed to a process that is part of the agent too; nothing was ended. Run it from outside the agent.`,
    )
  await handOver(observation, graceMs, log)
}

/** One cleaner per agent: the others wait until it is done or dead, and it until every caller inside has its answer. */
async function acquireCleanupLock(ref: AgentRef, graceMs: number): Promise<{ lock: Lock; waited: boolean }> {
  const file = agentLockFile(ref)
  const byte = agentByte(ref.agentId)
  const free = lockNow(file, byte)
  const held = free ?? (await lock(file, byte, graceMs + OTHER_CLEANER_MS))
  const waited = await repliesSent(ref)
  return { lock: held, waited: waited || !free }
}

function thisProcess() {
  return { pid: process.pid, start: startOf(process.pid) ?? 0 }
}
