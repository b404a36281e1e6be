import { setTimeout as sleep } from 'node:timers/promises'
import { claim } from '../claims/claim.ts'
import type { Claims } from '../claims/evidence.ts'
import type { Observation } from '../claims/observation.ts'
import {
  locateAgain,
  type Observed,
  observeAgain,
  observeProcesses,
  type PendingLocation,
} from '../claims/observe.ts'
import { pipelineRoles } from '../claims/pipeline-roles.ts'
import type { Log } from '../log.ts'
import { killSession } from '../tmux/kill-session.ts'
import { freezeAll } from './freeze.ts'
import { killGroups } from './kill-groups.ts'
import { hangUp, kill, ProcessSet, type TrackedProcess, terminate, wake } from './process-set.ts'

/** When what follows the writer is asked to end although the writer has not, as a part of the grace. */
const PATIENCE = 2 / 3
/**
 * After how long, in ms, a pane's process is hung up again. A bash that is just replacing itself (`claude ...; exec bash`)
 * notes a signal for later, and forgets it with all else: then it would stay until the grace ends.
 */
const HANG_UP_AGAIN_MS = 1_000
/** How long a reader gets, in ms, after the grace, to bring the last lines to the log once nobody can write to it any more. */
const DRAIN_MS = 300
/** How long the kernel gets, in ms, to carry out a KILL; a process in an uninterruptible wait takes its time. */
const KILL_MS = 2_000
/** After how long, in ms from the end of the grace, it is over also where somebody new was killed a moment ago. */
const LONGEST_MS = 10_000
/** How often the machine is scanned for new processes of the agent while the known ones are on their way, in ms. */
const RESCAN_MS = 100
/** The same after the grace: what was forked since the last scan has lost its parent to a KILL, and must not get far. */
const RESCAN_KILLING_MS = 10

/** How many scans in a row may find somebody new although all that was known has ended, before it is taken for a chain. */
const CHAIN_SCANS = 3

/** What was seen last: nothing alive of the agent, or what could not be ended. */
export interface Ended {
  tracked: ProcessSet
  /** Claimed, and alive at the end of all patience. */
  survivors: TrackedProcess[]
  /** The last look. By it is decided whether the session is gone and whether anybody still writes the log. */
  observation: Observation
  claims: Claims
  /** Why tmux could not be asked in the last look. */
  tmuxError?: unknown
  /** True when the session had to be killed already, because tmux started its pane's process again. */
  isSessionKilled: boolean
}

/**
 * Ends every process of an agent, to a fixpoint: signals, watches them go, and scans again until two scans in a
 * row find nothing alive; the second one looks at tmux and the logs too. Takes at most `graceMs` from the first
 * TERM, plus the time that KILL and the last lines of the log need.
 */
export async function endProcesses(
  first: Observation,
  firstClaims: Claims,
  graceMs: number,
  log: Log,
): Promise<Ended> {
  const tracked = new ProcessSet()
  const roleOf = pipelineRoles(first, firstClaims)
  tracked.add(firstClaims.claimed.values(), roleOf)
  const clock = startClock(graceMs)
  let scannedAt = performance.now()
  let wasQuiet = false
  let chained = 0
  let isSessionKilled = false
  let asked: PendingLocation | undefined

  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 1.3, 15)) {
    clock.tick()
    if (clock.overtime() >= 0 && (chained > 0 || tracked.alive().some(isToBeKilled)))
      freezeAll(first, tracked, roleOf, log)
    const alive = tracked.alive()
    advance(alive, clock, log)
    const isOver = clock.isOver(alive)
    const rescanMs = clock.overtime() < 0 ? RESCAN_MS : RESCAN_KILLING_MS
    if (!isOver && alive.length > 0 && performance.now() - scannedAt < rescanMs) {
      await sleep(pauseMs)
      continue
    }
    const isLast = wasQuiet || isOver
    // When nobody is left tmux is asked at once: by the time that two scans have found nobody, it has answered.
    asked ??= alive.length === 0 || isLast ? locateAgain(first) : undefined
    const seen: Observed = isLast
      ? await observeAgain(first, asked)
      : { observation: await observeProcesses(first) }
    scannedAt = performance.now()
    const claims = claim(seen.observation, tracked.claims())
    const fresh = tracked.add(claims.claimed.values(), roleOf)
    const survivors = tracked.alive()
    const isQuiet = fresh.length === 0 && survivors.length === 0
    if (isQuiet) killGroups(seen.observation.table, tracked)
    // Who turned up in the last look has its time too.
    if ((isLast && clock.isOver(survivors)) || (wasQuiet && isQuiet))
      return { tracked, survivors, claims, isSessionKilled, ...seen }
    wasQuiet = isQuiet
    if (!isQuiet) asked = undefined
    if (fresh.length > 0) pauseMs = 1
    const isWritten = survivors.some(({ role }) => role === 'writer' || role === 'reader')
    if (!isWritten && fresh.some(member => isRespawned(member, first)))
      isSessionKilled = await endRespawning(first, log)
    // Each of them has ended by the time we look at it again, and has left another: no grace ever ends that.
    chained = fresh.length > 0 && survivors.length === 0 ? chained + 1 : 0
    if (chained >= CHAIN_SCANS) clock.end()
  }
}

/** A child of the tmux server that came up after the first look: a hook (`pane-died`) starts what we end. */
const isRespawned = ({ claim: { process } }: TrackedProcess, { location }: Observation): boolean =>
  process.ppid === location.server?.pid

/**
 * Without its session no hook of it starts anything. A tmux that fails here is asked again in the last look, and a session
 * that came after the first is found by it.
 */
async function endRespawning({ ref, entry, location }: Observation, log: Log): Promise<boolean> {
  if (!location.session) return false
  log({ event: 'kill-session', agent: ref.agentId, session: location.session.id })
  return killSession(entry, location, location.session).then(
    () => true,
    () => false,
  )
}

/** It stands still between two ticks: nobody is killed in the turn in which the grace ends before all were frozen. */
interface Clock {
  tick(): void
  /** Time since the first look, as a part of the grace. */
  patience(): number
  /** Time since the end of the grace, in ms; negative before it. */
  overtime(): number
  /** For how long, in ms, nobody but readers and panes was seen, after the grace. */
  drained(hasOthers: boolean): number
  /** True when all time is up, also that of those who are alive. */
  isOver(alive: readonly TrackedProcess[]): boolean
  /** Ends the grace now. */
  end(): void
}

/**
 * Whether any of them may still end by what was sent, or is yet to be sent KILL: who got no turn of the processor for
 * seconds kills late. Those who had their time hold up the others, who are killed after them only.
 */
function areWaitedFor(alive: readonly TrackedProcess[]): boolean {
  const stuck = alive.filter(({ refused, killedAt }) => refused || killedAt !== undefined)
  const hasTime = ({ refused, killedAt = 0 }: TrackedProcess) =>
    !refused && performance.now() - killedAt <= KILL_MS
  const isNew = (member: TrackedProcess) => !member.refused && isToBeKilled(member)
  return alive.length > 0 && (stuck.length === 0 || stuck.some(hasTime) || alive.some(isNew))
}

function startClock(graceMs: number): Clock {
  const start = performance.now()
  let now = start
  let end = start + graceMs
  const overtime = () => now - end
  let drainedSince: number | undefined
  return {
    tick() {
      now = performance.now()
    },
    patience: () => (graceMs > 0 ? (now - start) / graceMs : 1),
    overtime,
    drained(hasOthers) {
      if (hasOthers) drainedSince = undefined
      else drainedSince ??= now
      return now - Math.max(end, drainedSince ?? Number.POSITIVE_INFINITY)
    },
    isOver: alive => overtime() > DRAIN_MS + KILL_MS && (overtime() > LONGEST_MS || !areWaitedFor(alive)),
    end() {
      end = Math.min(end, now)
    },
  }
}

/**
 * Sends what is due now. The order is what keeps the log whole: the writers first; then all others but the readers,
 * which end by themselves when their input does; the panes' processes last, because with them the kernel hangs up
 * on whatever is left on the terminal, the readers too. After the grace the same order with KILL.
 */
function advance(alive: TrackedProcess[], clock: Clock, log: Log): void {
  const has = (role: TrackedProcess['role']) => alive.some(member => member.role === role)
  const writing = has('writer')
  const others = writing || has('other')
  const overtime = clock.overtime()
  const drained = clock.drained(others)
  for (const member of alive) {
    if (overtime >= 0) {
      const due = member.role === 'reader' ? drained >= DRAIN_MS : member.role !== 'pane' || !has('reader')
      if (due && member.sent !== 'SIGKILL') announce(log, member, 'SIGKILL', kill)
    } else if (member.role === 'reader') {
      wake(member)
    } else if (member.sent === null && isDue(member.role)) {
      announce(log, member, 'SIGTERM', terminate)
    } else if (member.hungUpAt !== undefined && performance.now() - member.hungUpAt >= HANG_UP_AGAIN_MS) {
      announce(log, member, 'SIGHUP', hangUp)
    }
  }

  function isDue(role: TrackedProcess['role']): boolean {
    if (role === 'writer') return true
    if (role === 'pane') return !writing && !has('reader')
    return !writing || clock.patience() >= PATIENCE
  }
}

/** What is due for KILL now: the panes' processes and the readers are so only when nobody else is left. */
const isToBeKilled = ({ role, sent }: TrackedProcess) =>
  sent !== 'SIGKILL' && (role === 'writer' || role === 'other')

function announce(
  log: Log,
  member: TrackedProcess,
  name: string,
  send: (member: TrackedProcess) => void,
): void {
  const { pid, start, comm } = member.claim.process
  log({ event: 'signal', signal: name, pid, start, comm, role: member.role })
  send(member)
}
