import { setTimeout as sleep } from 'node:timers/promises'
import { claim } from '../claims/claim.ts'
import type { Claims } from '../claims/evidence.ts'
import type { Observation } from '../claims/observation.ts'
import { locateAgain, observeAgain, observeProcesses } from '../claims/observe.ts'
import type { Log } from '../log.ts'
import { killPanes, killSession } from '../tmux/kill-session.ts'
import type { TmuxLocation } from '../tmux/locate.ts'
import { freezeAll } from './freeze.ts'
import { killGroups } from './kill-groups.ts'
import type { LogPipes } from './log-pipes.ts'
import { logSignal } from './log-signal.ts'
import type { PlannedCleanup } from './plan.ts'
import { hangUp, kill, ProcessSet, type TrackedProcess, terminate, wake } from './process-set.ts'
import { strayBirths, supervisors } from './supervisors.ts'

/** After which part of the grace the processes beside the producer get TERM, although the producer has not ended. */
const TERM_OTHERS_AFTER = 2 / 3
/**
 * After how long, in ms, a pane's process is hung up again. A bash that is just replacing itself (`claude ...; exec bash`)
 * notes a signal for later, and forgets the note with everything else: it would stay until the grace ends.
 */
const HANG_UP_AGAIN_MS = 1_000
/** How long a log writer gets, in ms, after the grace, to go on bringing lines to the log once its input has no more writers. */
const DRAIN_MS = 300
/** How long the kernel gets, in ms, to carry out a KILL; a process in an uninterruptible wait takes its time. */
const KILL_MS = 2_000
/** After how long, in ms from the end of the grace, the work stops although a new process was killed a moment ago. */
const LONGEST_MS = 10_000
/** How often the machine is scanned for new processes of the agent while the tracked ones end, in ms. */
const RESCAN_MS = 100
/** The same after the grace: a process that was forked since the last scan has lost its parent to a KILL, and must not get far. */
const RESCAN_KILLING_MS = 10

/** After how many scans in a row that find a new process, although all tracked ones have ended, the agent counts as a chain of forks. */
const CHAIN_SCANS = 3

export interface EndResult {
  tracked: ProcessSet
  /** Claimed, and alive when all time was up. */
  survivors: TrackedProcess[]
  /** The last observation: it shows whether the session is gone and whether anybody still writes the log. */
  observation: Observation
  claims: Claims
  /** True when the session had to be killed already, because tmux started its pane's process again. */
  isSessionKilled: boolean
}

/**
 * Ends every process of an agent, to a fixpoint: sends signals, watches the processes end, and scans again until two scans
 * in a row find nothing alive; the second one includes tmux and the logs. Takes at most `graceMs` from the first TERM,
 * plus the time that KILL and the last lines of the log need. The processes in `kept` get no signal and are not waited for.
 */
export async function endProcesses(
  plan: PlannedCleanup,
  graceMs: number,
  log: Log,
  pipes: LogPipes,
  kept: ReadonlySet<number> = new Set(),
): Promise<EndResult> {
  const { observation: first, roleOf } = plan
  const { earlierRestarts } = plan
  const tracked = new ProcessSet(kept, supervisors(first, plan.claims), strayBirths(first), earlierRestarts)
  tracked.add(plan.claims.claimed.values(), roleOf, first.table)
  const clock = new Clock(graceMs)
  let scannedAt = performance.now()
  let aliveAt = scannedAt
  let wasQuiet = false
  let chained = 0
  let isSessionKilled = false
  let pendingLocation: Promise<TmuxLocation> | undefined

  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 1.3, 15)) {
    clock.tick()
    if (clock.overtime() >= 0 && (chained > 0 || tracked.alive().some(isDueForKill)))
      freezeAll(plan, tracked, log)
    const alive = tracked.alive()
    pipes.tend(alive.map(one => one.claim.process))
    sendDueSignals(alive, clock, pipes, (one, signal) => logSignal(log, one, signal, first.ref.agentId))
    const isOver = clock.isOver(alive)
    if (alive.length > 0) aliveAt = performance.now()
    const rescanMs = clock.overtime() < 0 ? RESCAN_MS : RESCAN_KILLING_MS
    const isExpecting =
      performance.now() - aliveAt < tracked.expectedWithinMs && tracked.restarted().length === 0
    if (!isOver && (alive.length > 0 || isExpecting) && performance.now() - scannedAt < rescanMs) {
      await sleep(pauseMs)
      continue
    }
    const isLast = wasQuiet || isOver
    // Once nothing is alive tmux is asked at once: by the time that two scans have found nothing, it has replied.
    pendingLocation ??= (alive.length === 0 && !isExpecting) || isLast ? locateAgain(first) : undefined
    const observation = await (isLast ? observeAgain(first, pendingLocation) : observeProcesses(first))
    scannedAt = performance.now()
    const claims = claim(observation, tracked.claims())
    const fresh = tracked.add(claims.claimed.values(), roleOf, observation.table)
    const survivors = tracked.alive()
    const isQuiet = fresh.length === 0 && survivors.length === 0 && !isExpecting
    if (isQuiet) killGroups(observation.table, tracked)
    // A process that only the last scan found gets its time too.
    if ((isLast && clock.isOver(survivors)) || (wasQuiet && isQuiet))
      return { tracked, survivors, claims, isSessionKilled, observation }
    wasQuiet = isQuiet
    if (!isQuiet) pendingLocation = undefined
    if (fresh.length > 0) pauseMs = 1
    const isWritten = survivors.some(
      ({ role }) => role === 'producer' || role === 'filter' || role === 'log-writer',
    )
    if (!isWritten && fresh.some(one => isRespawned(one, first)))
      isSessionKilled = await killRespawningSession(first, log)
    // A chain: each process has ended before it can be signalled, and has forked the next. No grace ever ends that.
    chained = fresh.length > 0 && survivors.length === 0 ? chained + 1 : 0
    if (chained >= CHAIN_SCANS) clock.endGrace()
  }
}

/** A child of the tmux server that came up after the first scan: a hook (`pane-died`) starts again what we end. */
const isRespawned = ({ claim: { process } }: TrackedProcess, { location }: Observation): boolean =>
  process.ppid === location.server?.pid

/**
 * Kills the session, so that none of its hooks starts anything any more. If tmux fails here, the last observation asks it
 * again, and also finds a session that came after this one.
 */
async function killRespawningSession({ ref, entry, location }: Observation, log: Log): Promise<boolean> {
  if (!location.session) {
    // Its pane was moved to a session of somebody else's, whose hook starts it again.
    const panes = location.panes.filter(({ id }) => id === location.recorded?.pane_id)
    await killPanes(entry, { ...location, panes }).catch(() => {})
    return false
  }
  log({ event: 'kill-session', agent: ref.agentId, session: location.session.id })
  return killSession(entry, location, location.session).then(
    () => true,
    () => false,
  )
}

/** The time of one cleanup. It advances only with `tick`: nothing is killed in the turn in which the grace ends before everything was frozen. */
class Clock {
  readonly #graceMs: number
  readonly #start = performance.now()
  #now = this.#start
  #graceEnd: number
  #drainedSince: number | undefined

  constructor(graceMs: number) {
    this.#graceMs = graceMs
    this.#graceEnd = this.#start + graceMs
  }

  tick(): void {
    this.#now = performance.now()
  }

  /** The part of the grace that has passed: 0 at its beginning, 1 at its end. */
  gracePart(): number {
    return this.#graceMs > 0 ? (this.#now - this.#start) / this.#graceMs : 1
  }

  /** Time since the end of the grace, in ms; negative before it. */
  overtime(): number {
    return this.#now - this.#graceEnd
  }

  endGrace(): void {
    this.#graceEnd = Math.min(this.#graceEnd, this.#now)
  }

  /** For how long, in ms, nothing has been there for log writers to do, as far as it shows, after the grace. */
  drained(isBusy: boolean): number {
    this.#drainedSince = isBusy ? undefined : (this.#drainedSince ?? this.#now)
    return this.#now - Math.max(this.#graceEnd, this.#drainedSince ?? Number.POSITIVE_INFINITY)
  }

  /** A filter was killed: whoever reads its output is to get to the end of that. */
  drainAgain(): void {
    this.#drainedSince = this.#now
  }

  /** True when all time is up, also that of each living process. */
  isOver(alive: readonly TrackedProcess[]): boolean {
    const overtime = this.overtime()
    return overtime > DRAIN_MS + KILL_MS && (overtime > LONGEST_MS || !mayStillEnd(alive))
  }
}

/**
 * True when one of them may still end by what was sent, or is yet to be sent KILL: a cleaner that gets no processor time
 * for seconds kills late. Processes whose time is up hold up the others, which are killed only after them.
 */
function mayStillEnd(alive: readonly TrackedProcess[]): boolean {
  const killedOrRefused = alive.filter(({ refused, killedAt }) => refused || killedAt !== undefined)
  const hasTime = ({ refused, killedAt = 0 }: TrackedProcess) =>
    !refused && performance.now() - killedAt <= KILL_MS
  const isNew = (tracked: TrackedProcess) => !tracked.refused && isDueForKill(tracked)
  return (
    alive.length > 0 && (killedOrRefused.length === 0 || killedOrRefused.some(hasTime) || alive.some(isNew))
  )
}

/**
 * Sends the signals that are due now. The order keeps the log whole: the producers first; then all others but filters and log
 * writers, which end by themselves when their input does; the panes' processes last, because when they end the kernel hangs
 * up on whatever is left on the terminal, the log writers too. After the grace the same order with KILL.
 */
function sendDueSignals(
  alive: TrackedProcess[],
  clock: Clock,
  pipes: LogPipes,
  note: (tracked: TrackedProcess, signal: NodeJS.Signals) => void,
): void {
  const has = (role: TrackedProcess['role']) => alive.some(one => one.role === role)
  const hasProducer = has('producer')
  const overtime = clock.overtime()
  const drained = clock.drained(hasProducer || has('other') || (overtime >= 0 && pipes.haveGrown()))
  const isDrained = drained >= DRAIN_MS || overtime > LONGEST_MS - KILL_MS
  for (const one of alive) {
    const endsWithInput = one.role === 'filter' || one.role === 'log-writer'
    if (endsWithInput && !(overtime >= 0 && isDrained)) {
      wake(one)
    } else if (overtime >= 0) {
      if (!isDueForKillNow(one.role) || one.sent === 'SIGKILL') continue
      if (endsWithInput) pipes.noteKill(one.claim.process)
      note(one, 'SIGKILL')
      kill(one)
      if (one.role === 'filter') clock.drainAgain()
    } else if (one.sent === null && isDueForTerm(one.role)) {
      if (one.role === 'pane') note(one, 'SIGHUP')
      note(one, 'SIGTERM')
      terminate(one)
    } else if (one.hungUpAt !== undefined && performance.now() - one.hungUpAt >= HANG_UP_AGAIN_MS) {
      note(one, 'SIGHUP')
      hangUp(one)
    }
  }

  function isDueForKillNow(role: TrackedProcess['role']): boolean {
    if (role === 'log-writer') return !has('filter') || overtime > LONGEST_MS - KILL_MS
    if (role === 'pipe-pane') return !has('pane')
    return role !== 'pane' || !(has('filter') || has('log-writer'))
  }

  function isDueForTerm(role: TrackedProcess['role']): boolean {
    if (role === 'producer') return true
    if (role === 'pane') return !hasProducer && !has('filter') && !has('log-writer')
    if (role === 'pipe-pane') return !has('pane') && clock.gracePart() >= TERM_OTHERS_AFTER
    return !hasProducer || clock.gracePart() >= TERM_OTHERS_AFTER
  }
}

/** True for what gets KILL as soon as the grace is over: panes' processes and log writers get it only after all others. */
const isDueForKill = ({ role, sent }: TrackedProcess) =>
  sent !== 'SIGKILL' && (role === 'producer' || role === 'other')
