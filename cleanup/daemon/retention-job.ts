import { messageOf } from '../errors.ts'
import { applyPlan } from '../retention/apply.ts'
import { type Clock, readClock } from '../retention/clock.ts'
import { isBelowFloor } from '../retention/floor.ts'
import { planRetention } from '../retention/plan.ts'
import { type PolicyTexts, parsePolicy, type RetentionPolicy } from '../retention/policy.ts'
import { type Observer, ProblemDedup } from './problem-dedup.ts'

export interface RetentionJobOptions {
  workspaces: readonly string[]
  policy: PolicyTexts
  observer: Observer
  times?: { firstMs: number; everyMs: number; pressureMs: number }
}

/** The first run comes soon after the start, the next ones every hour; free disk space is checked more often. In ms. */
const TIMES = { firstMs: 30_000, everyMs: 3_600_000, pressureMs: 60_000 }
/** The pause after a run that could not free enough, in ms: the next run could not free more either. */
const AFTER_SHORT_MS = 600_000

/** Applies retention every hour, and at once where a disk has less free space than wanted. One run at a time. */
export class RetentionJob {
  readonly #options: RetentionJobOptions
  readonly #times: typeof TIMES
  readonly #problems: ProblemDedup
  readonly #stop = new AbortController()
  readonly #since: Clock | undefined = clockOrNothing()
  #dueAt: number
  #pressureAt: number
  /** When the last run left a workspace's disk short of space, by workspace. */
  readonly #leftShortAt = new Map<string, number>()
  #running: Promise<void> | undefined

  constructor(options: RetentionJobOptions) {
    this.#options = options
    this.#problems = new ProblemDedup(options.observer)
    this.#times = options.times ?? TIMES
    this.#dueAt = performance.now() + this.#times.firstMs
    this.#pressureAt = performance.now() + Math.min(this.#times.firstMs, this.#times.pressureMs)
  }

  /** To be called at every check. Costs nothing when nothing is due. */
  check(): void {
    const now = performance.now()
    if (this.#running || (now < this.#dueAt && now < this.#pressureAt)) return
    const isDue = now >= this.#dueAt
    this.#pressureAt = now + this.#times.pressureMs
    if (isDue) this.#dueAt = now + this.#times.everyMs
    this.#running = this.#runDue(isDue).finally(() => {
      this.#running = undefined
    })
  }

  /** Resolves when no run is under way. */
  async idle(): Promise<void> {
    await this.#running
  }

  /** Stops a run between two files. */
  async end(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #runDue(isDue: boolean): Promise<void> {
    for (const workspace of this.#options.workspaces) {
      if (this.#stop.signal.aborted) return
      try {
        const policy = parsePolicy(this.#options.policy)
        if (isDue || this.#isPressing(workspace, policy)) await this.#run(workspace, policy)
      } catch (error) {
        this.#report(workspace, [messageOf(error)])
      }
    }
  }

  #isPressing(workspace: string, policy: RetentionPolicy): boolean {
    const leftAt = this.#leftShortAt.get(workspace)
    return isBelowFloor(workspace, policy) && !(leftAt && performance.now() - leftAt < AFTER_SHORT_MS)
  }

  async #run(workspace: string, policy: RetentionPolicy): Promise<void> {
    const { observer } = this.#options
    const plan = await planRetention([workspace], policy, { ...(this.#since && { since: this.#since }) })
    const report = await applyPlan(plan, { log: observer.log, signal: this.#stop.signal })
    const removed = report.outcomes.filter(({ outcome }) => outcome === 'removed')
    const bytes = removed.reduce((sum, { file }) => sum + file.bytes, 0)
    if (removed.length > 0) observer.log({ event: 'retention', workspace, removed: removed.length, bytes })
    const shortage = report.floors.flatMap(floor => floor.shortage)
    if (shortage.length > 0) this.#leftShortAt.set(workspace, performance.now())
    else this.#leftShortAt.delete(workspace)
    this.#report(workspace, [...plan.problems, ...report.problems, ...shortage])
  }

  #report(workspace: string, problems: string[]): void {
    const name = `retention ${workspace}`
    const problem = problems.join(' ')
    if (problem === '') this.#problems.resolve(name)
    else this.#problems.report(name, problem, { event: 'retention-problem', workspace, problem })
  }
}

/** Without /proc retention refuses to run, and reports why. */
function clockOrNothing(): Clock | undefined {
  try {
    return readClock()
  } catch {
    return undefined
  }
}
