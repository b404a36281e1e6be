import { CLEANED_AT_ONCE, Slots } from '../platform/slots.ts'
import { AgentWatch, type WatchContext, type Work } from './agent-watch.ts'
import { MassDeaths } from './mass-death.ts'
import { type Observer, ProblemDedup } from './problem-dedup.ts'
import { type Listed, RegistryWatch } from './registry-watch.ts'
import type { CheckLevel } from './scheduler.ts'
import type { WatchdogOptions } from './watchdog.ts'

/** How many agents are fully checked at once. Those that wait for a tmux server that hangs hold up the others. */
const CHECKED_AT_ONCE = 512

/** How often it is recorded which processes an agent's subreaper has adopted, in ms. */
const RECORD_MS = 1_000

export interface ReconcilerOptions extends WatchdogOptions {
  workspace: string
  graceMs: number | undefined
  observer: Observer
  /** Asks for another check. */
  wake: () => void
  /** Aborted once the daemon is to stop. */
  signal: AbortSignal
}

/** Keeps one watch for each agent that a workspace's registries list as live or not clean, and starts what each needs. */
export class Reconciler implements Disposable {
  readonly #context: WatchContext
  readonly #registries: RegistryWatch
  readonly #massDeaths: MassDeaths
  readonly #problems: ProblemDedup
  readonly #watches = new Map<string, AgentWatch>()
  /** Outlives the watch of an agent that is off the list: no second work starts for the same agent beside it. */
  readonly #running = new Map<string, Promise<void>>()
  #listed: readonly Listed[] | undefined
  #recordedAt = Number.NEGATIVE_INFINITY

  constructor(options: ReconcilerOptions) {
    const { workspace, observer, wake, signal } = options
    this.#problems = new ProblemDedup(observer)
    this.#massDeaths = new MassDeaths(workspace, observer)
    this.#registries = new RegistryWatch(workspace, wake, (about, problem) =>
      this.#report(`${workspace}/${about}`, problem),
    )
    this.#context = {
      ...options,
      problems: this.#problems,
      checking: new Slots(CHECKED_AT_ONCE),
      cleaning: new Slots(CLEANED_AT_ONCE),
      isStopping: () => signal.aborted,
      registryChanged: taskId => this.#registries.markChanged(taskId),
      died: (key, checkStartedAt) => this.#massDeaths.died(key, checkStartedAt),
    }
  }

  /** True while an agent here lives or is to be cleaned up, and while that is not known. */
  get isBusy(): boolean {
    if (this.#running.size > 0 || this.#registries.isUnsure) return true
    return [...this.#watches.values()].some(({ isHere }) => isHere)
  }

  /** True while the runner of any agent runs, as it was last known. */
  get isAnyRunning(): boolean {
    return [...this.#watches.values()].some(({ isRunning }) => isRunning)
  }

  get pending(): number {
    return [...this.#watches.values()].filter(({ isPending }) => isPending).length
  }

  /** Checks all agents once, and starts what is to be done without waiting for it. `terminals` came or went since. */
  check(level: CheckLevel, terminals: ReadonlySet<string>): void {
    const { isStale, needsPoll } = this.#registries
    if (level === 'full' || isStale || (level === 'processes' && needsPoll)) this.#registries.poll()
    this.#follow(this.#registries.list())
    const isRecordDue = performance.now() - this.#recordedAt >= RECORD_MS
    if (isRecordDue) this.#recordedAt = performance.now()
    for (const watch of this.#watches.values()) {
      if (isRecordDue) watch.recordAdoptedChildren()
      if (this.#running.has(watch.key)) continue
      const work = watch.check(level, terminals)
      if (work) this.#start(watch, work)
    }
    const live = () => [...this.#watches.values()].filter(({ isPending }) => !isPending).map(({ key }) => key)
    this.#massDeaths.announce(live, this.#isAnyChecking)
  }

  /** True while registries have to be polled, because their changes go unreported. */
  get isBlind(): boolean {
    return this.#registries.isBlind
  }

  /** Has every registry read at the next check, because the workspace may be another folder by now. */
  rescan(): void {
    this.#registries.rescan()
  }

  /** True when the runner of a live agent may be gone. */
  isAnyRunnerGone(): boolean {
    for (const watch of this.#watches.values()) if (watch.isRunnerGone()) return true
    return false
  }

  /** Resolves when no work is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  [Symbol.dispose](): void {
    this.#registries[Symbol.dispose]()
  }

  /** Brings the watches in line with the list, which is the same object until a registry changes. */
  #follow(listed: readonly Listed[]): void {
    if (listed === this.#listed) return
    const isFirst = this.#listed === undefined
    this.#listed = listed
    const keys = new Set(listed.map(({ key }) => key))
    for (const [key, watch] of this.#watches)
      if (!keys.has(key)) {
        watch[Symbol.dispose]()
        this.#watches.delete(key)
      }
    for (const agent of listed) {
      const known = this.#watches.get(agent.key)
      if (known) known.update(agent.entry)
      else this.#watches.set(agent.key, new AgentWatch(agent, isFirst, this.#context))
    }
  }

  #start(watch: AgentWatch, work: Work): void {
    const done = work()
      .catch((error: unknown) => watch.failed(error))
      .finally(() => {
        this.#running.delete(watch.key)
        this.#context.wake()
      })
    this.#running.set(watch.key, done)
  }

  get #isAnyChecking(): boolean {
    for (const { state } of this.#watches.values()) if (state === 'checking') return true
    return false
  }

  #report(about: string, problem: string | undefined): void {
    if (problem === undefined) this.#problems.resolve(about, { event: 'problem-resolved', about })
    else this.#problems.report(about, problem, { event: 'problem', about, problem })
  }
}
