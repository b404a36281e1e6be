import fs from 'node:fs'
import { messageOf } from '../errors.ts'
import { applyPlan } from '../retention/apply.ts'
import { type Clock, readClock } from '../retention/clock.ts'
import { planRetention } from '../retention/plan.ts'
import type { RetentionReport } from '../retention/plan-types.ts'
import type { PolicyTexts, RetentionPolicy } from '../retention/policy.ts'
import { policyOf } from '../retention/policy-file.ts'
import type { Observer } from './observer.ts'
import { ProblemDedup } from './problem-dedup.ts'

export interface RetentionJobOptions {
  workspaces: readonly string[]
  /** Goes before what a workspace's own policy file says. */
  policy: PolicyTexts
  observer: Observer
  times?: { firstMs: number; everyMs: number; pressureMs: number }
}

/** The first time soon after the start, then every hour; and how often it is looked whether the disk is short, in ms. */
const TIMES = { firstMs: 30_000, everyMs: 3_600_000, pressureMs: 60_000 }
/** How long after a run that could not free enough there is no other one, in ms: it could not free more either. */
const AFTER_SHORT_MS = 600_000

/** Applies retention from time to time, and at once where a disk has less free than is wanted. One run at a time. */
export class RetentionJob {
  readonly #options: RetentionJobOptions
  readonly #times: typeof TIMES
  readonly #problems = new ProblemDedup()
  readonly #stop = new AbortController()
  readonly #since: Clock | undefined = clockOrNothing()
  #dueAt: number
  #pressureAt: number
  /** Of which workspaces the last run left the disk short, and when that was. */
  readonly #leftShortAt = new Map<string, number>()
  #running: Promise<void> | undefined

  constructor(options: RetentionJobOptions) {
    this.#options = options
    this.#times = options.times ?? TIMES
    this.#dueAt = performance.now() + this.#times.firstMs
    this.#pressureAt = performance.now() + Math.min(this.#times.firstMs, this.#times.pressureMs)
  }

  /** To be called with every round. Costs nothing when nothing is due. */
  round(): void {
    const now = performance.now()
    if (this.#running || (now < this.#dueAt && now < this.#pressureAt)) return
    const isDue = now >= this.#dueAt
    this.#pressureAt = now + this.#times.pressureMs
    if (isDue) this.#dueAt = now + this.#times.everyMs
    this.#running = this.#look(isDue).finally(() => {
      this.#running = undefined
    })
  }

  /** Resolves when nothing is being done. */
  async idle(): Promise<void> {
    await this.#running
  }

  /** Stops between two files. */
  async end(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #look(isDue: boolean): Promise<void> {
    for (const workspace of this.#options.workspaces) {
      if (this.#stop.signal.aborted) return
      try {
        const policy = await policyOf(workspace, this.#options.policy)
        if (isDue || this.#isPressing(workspace, policy)) await this.#run(workspace, policy)
      } catch (error) {
        this.#tell(workspace, [messageOf(error)])
      }
    }
  }

  #isPressing(workspace: string, policy: RetentionPolicy): boolean {
    const leftAt = this.#leftShortAt.get(workspace)
    return isShort(workspace, policy) && !(leftAt && performance.now() - leftAt < AFTER_SHORT_MS)
  }

  async #run(workspace: string, policy: RetentionPolicy): Promise<void> {
    const { observer } = this.#options
    const plan = await planRetention([workspace], policy, { ...(this.#since && { since: this.#since }) })
    const report = await applyPlan(plan, { log: observer.log, signal: this.#stop.signal })
    const done = report.outcomes.filter(({ outcome }) => outcome === 'removed' || outcome === 'compressed')
    if (done.length > 0) observer.log({ event: 'retention', workspace, ...summary(report) })
    const shortage = report.floors.flatMap(floor => floor.shortage)
    if (shortage.length > 0) this.#leftShortAt.set(workspace, performance.now())
    else this.#leftShortAt.delete(workspace)
    this.#tell(workspace, [...plan.problems, ...report.problems, ...shortage])
  }

  #tell(workspace: string, problems: string[]): void {
    const { observer } = this.#options
    const problem = problems.length > 0 ? problems.join(' ') : undefined
    if (problem === undefined) this.#problems.isOver(workspace)
    else if (this.#problems.isNews(workspace, problem))
      observer.log({ event: 'retention-problem', workspace, problem })
    observer.degraded(`retention ${workspace}`, problem)
  }
}

function summary({ outcomes }: RetentionReport) {
  const count = (what: string) => outcomes.filter(({ outcome }) => outcome === what).length
  const savedBytes = outcomes.reduce((bytes, outcome) => bytes + outcome.savedBytes, 0)
  return { removed: count('removed'), compressed: count('compressed'), savedBytes }
}

function isShort(workspace: string, { minFree }: RetentionPolicy): boolean {
  if (!minFree) return false
  const { bavail, blocks, frsize } = fs.statfsSync(workspace)
  const wanted = 'bytes' in minFree ? minFree.bytes : (blocks * frsize * minFree.percent) / 100
  return bavail * frsize < wanted
}

/** Without a /proc retention refuses by itself, and says why. */
function clockOrNothing(): Clock | undefined {
  try {
    return readClock()
  } catch {
    return undefined
  }
}
