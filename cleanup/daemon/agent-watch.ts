import { AdoptedChildren } from '../containment/adopted-children.ts'
import { CleanupError, messageOf } from '../errors.ts'
import { newQuietPeriod, startQuietPeriod } from '../liveness/abandoned-pane.ts'
import { detectEnd } from '../liveness/detect-end.ts'
import { LivenessChecks } from '../liveness/liveness-checks.ts'
import { DEPLOY_MS, deployTimeLeft } from '../liveness/pending-deploys.ts'
import { recordedEnd } from '../liveness/recorded-end.ts'
import type { Log, LogLine } from '../log.ts'
import type { Slots } from '../platform/slots.ts'
import { cleanUp } from '../reaper/clean-up.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { type Ending, endingOf, isDone, isSameRun, isTerminal } from '../registry/lifecycle.ts'
import { peekAgent } from '../registry/registry.ts'
import { requireDeployedHere } from '../registry/world.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { Backoff } from './backoff.ts'
import { CleanerHeadStart } from './cleaner-head-start.ts'
import type { Observer, ProblemDedup } from './problem-dedup.ts'
import { RecheckSchedule } from './recheck-schedule.ts'
import type { Listed } from './registry-watch.ts'
import type { CheckLevel } from './scheduler.ts'
import { Watchdog, type WatchdogOptions } from './watchdog.ts'

/**
 * - `deploying`: listed, with no session so far. Only the deploy's time limit decides whether it failed.
 * - `live`: it lives as far as the last full check knows.
 * - `checking`: a full check is under way.
 * - `ended`: its end is known, and its cleanup is still to begin.
 * - `cleaning`: its cleanup is under way.
 * - `backing-off`: an attempt failed, and the next one waits.
 */
export type AgentState = 'deploying' | 'live' | 'checking' | 'ended' | 'cleaning' | 'backing-off'

/** Something to be done for one agent. It may throw: that counts as a failed attempt. */
export type Work = () => Promise<void>

/** What all watches of one workspace share. */
export interface WatchContext extends WatchdogOptions {
  graceMs: number | undefined
  observer: Observer
  problems: ProblemDedup
  /** Limits how many full checks, and how many cleanups, run at once. */
  checking: Slots
  cleaning: Slots
  /** True once the daemon is to stop. */
  isStopping: () => boolean
  /** Asks for another check soon. */
  wake: () => void
  /** A task's registry was written, or may have been. */
  registryChanged: (taskId: string) => void
  /** An agent was found dead that nobody ended. `checkStartedAt`: when that check began, by the monotonic clock, in ms. */
  died: (key: string, checkStartedAt: number) => void
}

/** Every attempt at a cleanup begins with these events. They are logged for the first attempt only. */
const FIRST_EVENTS: ReadonlySet<string> = new Set(['cleanup-due', 'intent'])

/**
 * Everything that the daemon remembers about one agent, from when the registry lists it until it is clean or gone from
 * the list, and what it does about it. To forget an agent is to drop its watch.
 */
export class AgentWatch implements Disposable {
  readonly key: string
  readonly ref: AgentRef
  readonly #context: WatchContext
  readonly #checks = new LivenessChecks()
  readonly #rechecks: RecheckSchedule
  readonly #watchdog: Watchdog
  readonly #adopted = new AdoptedChildren()
  readonly #cleanerHeadStart = new CleanerHeadStart()
  readonly #backoff = new Backoff()
  readonly #quiet = newQuietPeriod()
  /** Until when its deploy may take, by the monotonic clock, in ms. */
  readonly #deployUntil: number
  #entry: AgentEntry
  #state: AgentState
  /** True once a full check has found its session. */
  #hadSession = false
  /** True once it was found dead while the registry lists it as live. */
  #isDead = false
  #isListed = true
  /** Why it cannot be seen from here, in a sentence: it was deployed in another world (registry/world.ts). */
  #elsewhere: string | undefined

  /** `wasThere`: the agent was listed before the daemon began, so its deploy may be as old as its entry says. */
  constructor({ key, ref, entry }: Listed, wasThere: boolean, context: WatchContext) {
    this.key = key
    this.ref = ref
    this.#entry = entry
    this.#context = context
    this.#state = isTerminal(entry.status) ? 'ended' : recordedTmux(entry) ? 'live' : 'deploying'
    this.#deployUntil = performance.now() + (wasThere ? deployTimeLeft(entry) : DEPLOY_MS)
    this.#watchdog = new Watchdog(ref, context, context.observer.log)
    this.#rechecks = new RecheckSchedule(context.wake)
    // Events from before the first check went unseen.
    this.#rechecks.restart()
    this.update(entry)
  }

  get state(): AgentState {
    return this.#state
  }

  /** False for an agent that cannot be seen from here. It is checked again at every full check. */
  get isHere(): boolean {
    return this.#elsewhere === undefined
  }

  /** True when the registry records the agent's end, and its cleanup is not done. */
  get isPending(): boolean {
    return isTerminal(this.#entry.status)
  }

  /** To be called with the agent's entry whenever the list has changed. */
  update(entry: AgentEntry): void {
    const wasPending = this.isPending
    this.#entry = entry
    this.#lookForWorld()
    if (!this.isHere || this.isPending) this.#checks.stop()
    if (!this.isHere) return
    if (this.isPending) {
      if (this.#state !== 'cleaning' && this.#state !== 'backing-off') this.#state = 'ended'
      return
    }
    // The agent was started again under its id, or another program took its end back.
    if (wasPending) this.#state = 'live'
    this.#checks.entryChanged(entry)
  }

  /** True when the agent's runner has gone: one signal with number 0. */
  isRunnerGone(): boolean {
    return this.#checks.isRunnerGone()
  }

  /** True while the agent's runner is known and runs, whatever the registry says by now. */
  get isRunning(): boolean {
    return this.#checks.isRunning
  }

  recordAdoptedChildren(): void {
    if (!this.isPending && this.isHere) this.#adopted.record(this.ref, this.#entry)
  }

  /** Checks the agent at this level, without waiting. Returns what is to be done now, undefined for nothing. */
  check(level: CheckLevel, terminals: ReadonlySet<string>): Work | undefined {
    if (level === 'full' && !this.isHere) this.update(this.#entry)
    if (!this.#backoff.isDue || !this.isHere) return undefined
    return this.isPending ? this.#finishRecordedEnd() : this.#checkLive(level, terminals)
  }

  /** A work of this watch threw. */
  failed(error: unknown): void {
    if (isElsewhere(error)) {
      this.#wait()
      this.#reportElsewhere(error.message)
      return
    }
    const isCleanupDue = this.isPending || this.#isDead || this.#state === 'cleaning'
    if (isCleanupDue) {
      if (!this.#context.isStopping()) this.#context.observer.failed()
      this.#backOff([messageOf(error)])
    } else if (error instanceof CleanupError && error.code === 'registry-unreadable') {
      // Somebody may be writing it in place. Whoever watches the registry reports it if it stays so.
      this.#wait()
    } else this.#couldNotCheck(messageOf(error))
  }

  /** The agent is off the list: nothing that is found out about it counts any more. */
  [Symbol.dispose](): void {
    this.#isListed = false
    this.#recovered()
  }

  #lookForWorld(): void {
    const problem = whyElsewhere(this.ref, this.#entry)
    if (problem !== undefined) this.#reportElsewhere(problem)
    else if (!this.isHere) this.#isSeen()
    this.#elsewhere = problem
  }

  /** Not a failed cleanup: somebody else, there, cleans it up. */
  #reportElsewhere(problem: string): void {
    this.#context.problems.report(this.#world, problem, { event: 'problem', about: this.#world, problem })
  }

  #isSeen(): void {
    this.#context.problems.resolve(this.#world, { event: 'problem-resolved', about: this.#world })
  }

  /** The name of problems with where the agent is. */
  get #world(): string {
    return `${this.key} elsewhere`
  }

  /** The end is on disk already: somebody reported it, or an earlier cleanup was not finished. */
  #finishRecordedEnd(): Work | undefined {
    if (this.#cleanerHeadStart.isRunning(this.#entry)) return undefined
    return async () => {
      if (isDone(peekAgent(this.ref))) return this.#context.registryChanged(this.ref.taskId)
      const ending = endingOf(this.#entry)
      return this.#clean(ending, { event: 'cleanup-due', task: this.ref.taskId, ...ending })
    }
  }

  #checkLive(level: CheckLevel, terminals: ReadonlySet<string>): Work | undefined {
    // A recheck alone is not suspicious. If it were, each recheck would schedule more of them for ever.
    const isRecheck = this.#rechecks.takeDue()
    const isSuspicious =
      this.#checks.mayHaveEnded(this.#entry, terminals) ||
      (level === 'processes' && this.#checks.mayHaveLeftPane(this.#entry))
    if (level === 'full' || isRecheck || isSuspicious) return () => this.#checkFully(isSuspicious)
    if (level !== 'processes') return undefined
    const work = this.#watchdog.check(this.#entry)
    return (
      work &&
      (async () => {
        const ending = await work()
        if (ending) await this.#clean(ending)
      })
    )
  }

  async #checkFully(isSuspicious: boolean): Promise<void> {
    const entry = this.#entry
    const checkStartedAt = performance.now()
    const before = this.#state
    this.#state = 'checking'
    const ending = await this.#context.checking
      .run(async () => (this.#context.isStopping() ? undefined : this.#detectEnd(entry, isSuspicious)))
      .finally(() => {
        if (this.#state === 'checking') this.#state = before
      })
    if (this.#context.isStopping() || !this.#isListed) return
    this.#isChecked()
    if (!ending) return this.#foundAlive(entry, isSuspicious)
    const mayBeDeploying = !recordedTmux(entry) && !this.#hadSession && performance.now() < this.#deployUntil
    if (mayBeDeploying) return
    // An agent that was cleaned up in the meantime looks like one that crashed. Its end is on disk.
    if (isTerminal(peekAgent(this.ref).status)) return this.#context.registryChanged(this.ref.taskId)
    this.#state = 'ended'
    this.#foundDead(ending, checkStartedAt)
    await this.#clean(ending)
  }

  async #detectEnd(entry: AgentEntry, isSuspicious: boolean): Promise<Ending | undefined> {
    const detecting = detectEnd(this.ref, entry, this.#quiet)
    if (isSuspicious) startQuietPeriod(this.ref, entry, this.#quiet)
    return detecting.finally(() => {
      delete this.#quiet.machine
      delete this.#quiet.isAwaited
    })
  }

  #foundAlive(entry: AgentEntry, isSuspicious: boolean): void {
    if (isSuspicious) this.#rechecks.restart()
    this.#checks.confirmAlive(entry)
    this.#state = 'live'
    this.#hadSession = true
    this.#isDead = false
    this.#recovered()
  }

  /** Logged once, however often the cleanup has to be attempted. */
  #foundDead(ending: Ending, checkStartedAt: number): void {
    if (this.#isDead) return
    this.#isDead = true
    if (ending.status === 'crashed' && !recordedEnd(this.ref)) this.#context.died(this.key, checkStartedAt)
    this.#log({ event: 'ended', agent: this.ref.agentId, task: this.ref.taskId, ...ending })
  }

  /**
   * Cleans up when it is this agent's turn. A cleanup that has not begun when the daemon stops is left to the next daemon;
   * an entry that has changed while it waited is left to the next check.
   */
  #clean(ending: Ending, first?: LogLine): Promise<void> {
    const entry = this.#entry
    return this.#context.cleaning.run(async () => {
      if (this.#context.isStopping()) return
      if (isSameRun(entry, peekAgent(this.ref))) await this.#cleanNow(ending, first)
      else this.#context.registryChanged(this.ref.taskId)
    })
  }

  async #cleanNow(ending: Ending, first: LogLine | undefined): Promise<void> {
    const { graceMs, observer, problems } = this.#context
    const isRetry = problems.has(this.key)
    const log: Log = line => {
      if (!(isRetry && FIRST_EVENTS.has(line.event))) observer.log(line)
    }
    if (first) log({ agent: this.ref.agentId, ...first })
    this.#state = 'cleaning'
    const { wasSeen, proven } = this.#quiet
    const report = await cleanUp(this.ref, { ...ending, graceMs, log, isRetry: true, wasSeen, proven })
    this.#state = 'ended'
    observer.cleaned(report)
    this.#context.registryChanged(this.ref.taskId)
    if (report.outcome === 'unfinished' || report.outcome === 'handed-over') this.#backOff(report.problems)
    else if (report.outcome !== 'already-clean') this.#recovered()
    // An agent that is clean should be off the list. While it is still listed, there is no hurry to find that again.
    else if (this.#isListed) this.#wait()
  }

  #backOff(problems: string[]): void {
    // Ctrl-C in the daemon's terminal ends its tmux clients too, and says nothing about the agent.
    if (this.#context.isStopping() || !this.#isListed) return
    const line = { event: 'cleanup-failed', agent: this.key, problems, againInMs: this.#wait() }
    this.#context.problems.report(this.key, problems.join(' '), line)
  }

  /** Not a failed cleanup: none is due, as far as is known. */
  #couldNotCheck(problem: string): void {
    if (this.#context.isStopping() || !this.#isListed) return
    const line = { event: 'problem', about: this.key, problem, againInMs: this.#wait() }
    this.#context.problems.report(this.#check, problem, line)
  }

  #isChecked(): void {
    this.#context.problems.resolve(this.#check, { event: 'problem-resolved', about: this.key })
  }

  /** The name of problems with checking the agent. */
  get #check(): string {
    return `${this.key} check`
  }

  #wait(): number {
    this.#state = 'backing-off'
    return this.#backoff.failed()
  }

  #recovered(): void {
    this.#backoff.succeeded()
    this.#isSeen()
    this.#isChecked()
    this.#context.problems.resolve(this.key, { event: 'cleanup-recovered', agent: this.key })
  }

  #log(line: LogLine): void {
    this.#context.observer.log(line)
  }
}

const isElsewhere = (error: unknown): error is CleanupError =>
  error instanceof CleanupError && error.code === 'elsewhere'

/** Why an agent cannot be seen from here by its entry, in a sentence; undefined when it can. */
function whyElsewhere(ref: AgentRef, entry: AgentEntry): string | undefined {
  try {
    requireDeployedHere(ref, entry)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
