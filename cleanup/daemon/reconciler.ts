import { AdoptedChildren } from '../containment/adopted-children.ts'
import { messageOf } from '../errors.ts'
import { type QuietPeriod, startQuietPeriod } from '../liveness/abandoned-pane.ts'
import { detectEnd } from '../liveness/detect-end.ts'
import { Signs } from '../liveness/liveness-checks.ts'
import { Deploys } from '../liveness/pending-deploys.ts'
import { recordedEnd } from '../liveness/recorded-end.ts'
import type { Log, LogLine } from '../log.ts'
import { CLEANED_AT_ONCE, Slots } from '../platform/slots.ts'
import { cleanUp } from '../reaper/clean-up.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { type Ending, isDone, isSameRun, isTerminal } from '../registry/lifecycle.ts'
import { peekAgent } from '../registry/registry.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { Backoff } from './backoff.ts'
import { CleanerGrace } from './cleaner-grace.ts'
import { MassDeaths } from './mass-death.ts'
import type { Observer } from './observer.ts'
import { ProblemDedup } from './problem-dedup.ts'
import { Pulses } from './pulse.ts'
import { RecheckSchedule } from './recheck-schedule.ts'
import { type Listed, RegistryWatch } from './registry-watch.ts'
import { Watchdog, type WatchdogOptions } from './watchdog.ts'

/**
 * How closely a round looks. `quick`: at what was heard, and whether the processes are there. `processes`: at the
 * processes themselves. `full`: at every registry, and tmux is asked about every live agent, one question per server.
 */
export type CheckLevel = 'quick' | 'processes' | 'full'

/** Of how many agents it is asked at once whether they have ended: who waits for a server that hangs holds up the others. */
const JUDGED_AT_ONCE = 512

/** What every attempt at a cleaning begins with: of one that is tried again for ever it is said once. */
const BEGINNINGS: ReadonlySet<string> = new Set(['cleanup-due', 'intent'])

/** How often it is noted whom an agent's subreaper has adopted, in ms. */
const NOTE_MS = 1_000

export interface ReconcilerOptions extends WatchdogOptions {
  workspace: string
  graceMs: number
  observer: Observer
  /** Asks for another round. */
  wake: () => void
  /** Aborted once the daemon is to stop. */
  signal: AbortSignal
}

/** Watches over the agents of one workspace: notices ends, and cleans up. */
export class Reconciler implements Disposable {
  readonly #options: ReconcilerOptions
  readonly #registries: RegistryWatch
  readonly #watchdog: Watchdog
  readonly #signs = new Signs()
  readonly #recheckSchedule: RecheckSchedule
  readonly #pulses = new Pulses()
  readonly #orphans = new AdoptedChildren()
  readonly #deploys = new Deploys()
  readonly #cleanerGrace = new CleanerGrace()
  readonly #deaths: MassDeaths
  readonly #backoff = new Backoff()
  readonly #problems = new ProblemDedup()
  readonly #seenSessions = new Set<string>()
  /** Who was found dead and is still listed as live. */
  readonly #dead = new Set<string>()
  readonly #rests = new Map<string, QuietPeriod>()
  readonly #atWork = new Map<string, Promise<void>>()
  readonly #judging = new Slots(JUDGED_AT_ONCE)
  readonly #cleaning = new Slots(CLEANED_AT_ONCE)
  /** How many are suspected of an end that may not be known yet. */
  #suspected = 0
  #open: readonly Listed[] = []
  #keys: ReadonlySet<string> = new Set()
  #notedAt = Number.NEGATIVE_INFINITY

  constructor(options: ReconcilerOptions) {
    const { workspace, observer, wake } = options
    this.#options = options
    this.#recheckSchedule = new RecheckSchedule(wake)
    this.#registries = new RegistryWatch(workspace, wake, (about, problem) =>
      this.#tell(`${workspace}/${about}`, problem),
    )
    this.#watchdog = new Watchdog(options, observer.log)
    this.#deaths = new MassDeaths(workspace, observer)
  }

  /** True while an agent lives or is to be cleaned up, and while that is not known. */
  get isBusy(): boolean {
    return this.#atWork.size > 0 || this.#open.length > 0 || this.#registries.isUnsure
  }

  /** How many agents have ended and are not clean. */
  get pending(): number {
    return this.#open.filter(({ entry }) => isTerminal(entry.status)).length
  }

  /** Goes round once: takes up whatever needs it, without waiting for it. `terminals` are those that came or went. */
  round(level: CheckLevel, terminals: ReadonlySet<string>): void {
    const { isStale, needsPoll } = this.#registries
    if (level === 'full' || isStale || (level === 'processes' && needsPoll)) this.#registries.poll()
    this.#list(this.#registries.open())
    const isToNote = performance.now() - this.#notedAt >= NOTE_MS
    if (isToNote) this.#notedAt = performance.now()
    for (const listed of this.#open) {
      const { key, ref, entry } = listed
      if (isToNote && !isTerminal(entry.status)) this.#orphans.note(key, ref, entry)
      if (this.#atWork.has(key) || !this.#backoff.isDue(key)) continue
      const work = isTerminal(entry.status) ? this.#ended(listed) : this.#living(listed, level, terminals)
      if (work) this.#start(key, work)
    }
    this.#deaths.announce(
      () => this.#open.filter(({ entry }) => !isTerminal(entry.status)).map(({ key }) => key),
      this.#suspected > 0,
    )
  }

  /** Has every registry read with the next round, because the workspace may be another folder by now. */
  lookAnew(): void {
    this.#registries.lookAnew()
  }

  /** True when the claude of an agent that lives by the registry may be gone. */
  blink(): boolean {
    return this.#signs.isAnyGone()
  }

  /** Resolves when nothing is being worked at. */
  async idle(): Promise<void> {
    await Promise.all(this.#atWork.values())
  }

  [Symbol.dispose](): void {
    this.#registries[Symbol.dispose]()
  }

  /** Notes who came and who went; the list is the same object until a registry changes. */
  #list(open: readonly Listed[]): void {
    if (open === this.#open) return
    const keys = new Set(open.map(({ key }) => key))
    const known = this.#keys
    for (const key of known) if (!keys.has(key)) this.#forget(key)
    // What happened to a new one before it was first seen has left no sign.
    for (const key of keys) if (!known.has(key)) this.#recheckSchedule.ask(key)
    this.#open = open
    this.#keys = keys
    for (const { key, entry } of open)
      if (isTerminal(entry.status)) this.#signs.forget(key)
      else this.#signs.renew(key, entry)
    this.#deploys.see(open)
  }

  /** What is to be done for an agent whose end is on disk. */
  #ended(listed: Listed): (() => Promise<void>) | undefined {
    const { key, ref, entry } = listed
    if (this.#cleanerGrace.has(key, entry)) return undefined
    return async () => {
      if (isDone(peekAgent(ref))) return this.#registries.wasWritten(ref.taskId)
      const ending = endingOf(entry)
      return this.#clean(listed, ending, { event: 'cleanup-due', task: ref.taskId, ...ending })
    }
  }

  /** What is to be done for an agent that lives by the registry. */
  #living(
    listed: Listed,
    level: CheckLevel,
    terminals: ReadonlySet<string>,
  ): (() => Promise<void>) | undefined {
    const { key, entry } = listed
    if (level === 'processes') this.#signs.look(key, entry)
    // A second look by itself is no suspicion: it would ask for more of its kind for ever.
    const isSecond = this.#recheckSchedule.isDue(key)
    const isSuspect =
      this.#signs.areOfAnEnd(key, entry, terminals) ||
      (level === 'processes' && this.#pulses.mayHaveEnded(key, entry))
    if (level === 'full' || isSecond || isSuspect) return () => this.#examine(listed, isSuspect)
    if (level !== 'processes') return undefined
    const work = this.#watchdog.look(listed)
    return work && (() => this.#watch(listed, work))
  }

  #start(key: string, work: () => Promise<void>): void {
    const done = work()
      .catch((error: unknown) => {
        if (!this.#isStopping) this.#options.observer.failed()
        this.#failed(key, [messageOf(error)])
      })
      .finally(() => {
        this.#atWork.delete(key)
        this.#options.wake()
      })
    this.#atWork.set(key, done)
  }

  async #examine(listed: Listed, isSuspect: boolean): Promise<void> {
    const { key, ref, entry } = listed
    const suspectedAt = performance.now()
    this.#suspected += 1
    const ending = await this.#judging
      .run(async () => (this.#isStopping ? undefined : this.#judge(listed, isSuspect)))
      .finally(() => {
        this.#suspected -= 1
      })
    if (this.#isStopping) return
    // Off the list meanwhile, nothing is to be remembered of it any more.
    if (!this.#isListed(key)) return
    if (!ending) {
      if (isSuspect) this.#recheckSchedule.ask(key)
      this.#pulses.isAlive(key)
      this.#signs.know(key, entry)
      this.#seenSessions.add(key)
      this.#dead.delete(key)
      this.#succeeded(key)
      return
    }
    const isNew = !recordedTmux(entry) && !this.#seenSessions.has(key)
    if (isNew && this.#deploys.mayBeInTheMaking(key)) return
    // Cleaned up meanwhile, it looks like one that crashed. How it ended is on disk, and may not have been heard of.
    if (isTerminal(peekAgent(ref).status)) return this.#registries.wasWritten(ref.taskId)
    this.#hasDied(listed, ending, suspectedAt)
    await this.#clean(listed, ending)
  }

  async #judge({ key, ref, entry }: Listed, isSuspect: boolean): Promise<Ending | undefined> {
    const rest = this.#restOf(key)
    const judging = detectEnd(ref, entry, rest)
    if (isSuspect) startQuietPeriod(ref, entry, rest)
    return judging.finally(() => {
      delete rest.machine
      delete rest.isAwaited
    })
  }

  /** Told once, however often its cleanup has to be tried. */
  #hasDied({ key, ref }: Listed, ending: Ending, suspectedAt: number): void {
    if (this.#dead.has(key)) return
    this.#dead.add(key)
    if (ending.status === 'crashed' && !recordedEnd(ref)) this.#deaths.died(key, suspectedAt)
    this.#log({ event: 'ended', agent: ref.agentId, task: ref.taskId, ...ending })
  }

  #isListed(key: string): boolean {
    return this.#keys.has(key)
  }

  #restOf(key: string): QuietPeriod {
    const rest = this.#rests.get(key) ?? { sign: '', since: 0 }
    this.#rests.set(key, rest)
    return rest
  }

  async #watch(listed: Listed, work: () => Promise<Ending | undefined>): Promise<void> {
    const ending = await work()
    if (ending) await this.#clean(listed, ending)
  }

  /** What is not begun when the daemon is to stop is left to the next one, and what has changed since, to the next round. */
  #clean(listed: Listed, ending: Ending, about?: LogLine): Promise<void> {
    const { ref, entry } = listed
    return this.#cleaning.run(async () => {
      if (this.#isStopping) return
      if (isSameRun(entry, peekAgent(ref))) await this.#cleanNow(listed, ending, about)
      else this.#registries.wasWritten(ref.taskId)
    })
  }

  async #cleanNow({ key, ref }: Listed, ending: Ending, about?: LogLine): Promise<void> {
    const { graceMs, observer } = this.#options
    const isAgain = this.#problems.isIn(key)
    const log: Log = line => {
      if (!(isAgain && BEGINNINGS.has(line.event))) observer.log(line)
    }
    if (about) log({ agent: ref.agentId, ...about })
    const report = await cleanUp(ref, { ...ending, graceMs, log })
    observer.cleaned(report)
    this.#registries.wasWritten(ref.taskId)
    // Found clean, it should be off the list. As long as it is not, there is no hurry to find that again.
    if (report.outcome === 'unfinished' || report.outcome === 'handed-over')
      this.#failed(key, report.problems)
    else if (report.outcome !== 'already-clean') this.#succeeded(key)
    else if (this.#isListed(key)) this.#backoff.failed(key)
  }

  #failed(key: string, problems: string[]): void {
    // Whoever ends the daemon from a terminal ends its tmux clients as well, and that says nothing of the agent.
    if (this.#isStopping || !this.#isListed(key)) return
    const againInMs = this.#backoff.failed(key)
    const text = problems.join(' ')
    if (!this.#problems.isNews(key, text)) return
    this.#log({ event: 'cleanup-failed', agent: key, problems, againInMs })
    this.#degraded(key, text)
  }

  #succeeded(key: string): void {
    this.#backoff.succeeded(key)
    if (this.#problems.isOver(key)) this.#log({ event: 'cleanup-recovered', agent: key })
    this.#degraded(key, undefined)
  }

  #tell(about: string, problem: string | undefined): void {
    if (problem === undefined) {
      if (this.#problems.isOver(about)) this.#log({ event: 'problem-resolved', about })
    } else if (this.#problems.isNews(about, problem)) this.#log({ event: 'problem', about, problem })
    this.#degraded(about, problem)
  }

  #forget(key: string): void {
    const memories = [
      this.#signs,
      this.#recheckSchedule,
      this.#pulses,
      this.#orphans,
      this.#deploys,
      this.#cleanerGrace,
      this.#watchdog,
    ]
    for (const memory of memories) memory.forget(key)
    this.#succeeded(key)
    this.#seenSessions.delete(key)
    this.#dead.delete(key)
    this.#rests.delete(key)
  }

  get #isStopping(): boolean {
    return this.#options.signal.aborted
  }

  get #log() {
    return this.#options.observer.log
  }

  #degraded(what: string, why: string | undefined): void {
    this.#options.observer.degraded(what, why)
  }
}

const endingOf = (entry: AgentEntry): Ending => ({
  status: entry.status,
  reason: entry.reason ?? `its status is ${entry.status}`,
})
