import { cleanUp } from '../cleaning/clean-up.ts'
import type { Ending } from '../cleaning/intent.ts'
import type { Log } from '../cleaning/report.ts'
import { words } from '../errors.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import type { AgentEntry } from '../workspace/registry-types.ts'
import { isTerminal } from '../workspace/status.ts'
import { Backoff } from './backoff.ts'
import { Deploys } from './deploys.ts'
import { HeadStarts } from './head-start.ts'
import { judge } from './judge.ts'
import { Orphans } from './orphans.ts'
import { Pulses } from './pulse.ts'
import { type Listed, RegistryWatch } from './registry-watch.ts'
import { Signs } from './signs.ts'
import { Told } from './told.ts'

/**
 * How closely a round looks. `glance`: at what was heard, and whether the processes are there. `look`: at the
 * processes themselves. `ask`: at every registry, and tmux is asked about every live agent, one question per server.
 */
export type Depth = 'glance' | 'look' | 'ask'

/** How often it is noted whom an agent's subreaper has adopted, in ms. */
const NOTE_MS = 1_000

/** Watches over the agents of one workspace: notices ends, and cleans up. */
export class Warden implements AsyncDisposable {
  readonly workspace: string
  readonly #registries: RegistryWatch
  readonly #graceMs: number
  readonly #log: Log
  readonly #wake: () => void
  readonly #signs = new Signs()
  readonly #pulses = new Pulses()
  readonly #orphans = new Orphans()
  readonly #deploys = new Deploys()
  readonly #headStarts = new HeadStarts()
  readonly #backoff = new Backoff()
  readonly #told = new Told()
  readonly #seenSessions = new Set<string>()
  readonly #atWork = new Map<string, Promise<void>>()
  readonly #memories = [this.#signs, this.#pulses, this.#orphans, this.#deploys, this.#headStarts]
  #open: readonly Listed[] = []
  #notedAt = Number.NEGATIVE_INFINITY

  constructor(workspace: string, graceMs: number, log: Log, wake: () => void) {
    this.workspace = workspace
    this.#graceMs = graceMs
    this.#log = log
    this.#wake = wake
    this.#registries = new RegistryWatch(workspace, wake, (about, problem) =>
      this.#tell(`${workspace}/${about}`, problem),
    )
  }

  /** True while an agent lives or is to be cleaned up, and while that is not known. */
  get isBusy(): boolean {
    return this.#atWork.size > 0 || this.#open.length > 0 || this.#registries.isUnsure
  }

  /** Goes round once: takes up whatever needs it, without waiting for it. `terminals` are those that came or went. */
  round(depth: Depth, terminals: ReadonlySet<string>): void {
    const { isStale, needsPoll } = this.#registries
    if (depth === 'ask' || isStale || (depth === 'look' && needsPoll)) this.#registries.poll()
    this.#list(this.#registries.open())
    const isToNote = performance.now() - this.#notedAt >= NOTE_MS
    if (isToNote) this.#notedAt = performance.now()
    for (const listed of this.#open) {
      const { key, ref, entry } = listed
      if (isToNote && !isTerminal(entry.status)) this.#orphans.note(key, ref, entry)
      if (this.#atWork.has(key) || !this.#backoff.isDue(key)) continue
      if (isTerminal(entry.status)) {
        if (!this.#headStarts.has(key, entry)) this.#start(key, () => this.#takeUp(listed))
      } else if (this.#needsExamination(listed, depth, terminals)) {
        this.#start(key, () => this.#examine(listed))
      }
    }
  }

  /** Resolves when nothing is being worked at. */
  async idle(): Promise<void> {
    await Promise.all(this.#atWork.values())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registries[Symbol.asyncDispose]()
  }

  /** Notes who came and who went; the list is the same object until a registry changes. */
  #list(open: readonly Listed[]): void {
    if (open === this.#open) return
    const keys = new Set(open.map(({ key }) => key))
    for (const { key } of this.#open) if (!keys.has(key)) this.#forget(key)
    this.#open = open
    for (const { key, entry } of open) this.#signs.know(key, entry)
    this.#deploys.see(keys)
  }

  #needsExamination({ key, entry }: Listed, depth: Depth, terminals: ReadonlySet<string>): boolean {
    if (depth !== 'glance') this.#signs.know(key, entry)
    if (depth === 'ask' || this.#signs.areOfAnEnd(key, entry, terminals)) return true
    return depth === 'look' && this.#pulses.mayHaveEnded(key, entry)
  }

  #start(key: string, work: () => Promise<void>): void {
    const done = work()
      .catch((error: unknown) => this.#failed(key, [words(error)]))
      .finally(() => {
        this.#atWork.delete(key)
        this.#wake()
      })
    this.#atWork.set(key, done)
  }

  async #takeUp(listed: Listed): Promise<void> {
    const { status, reason } = endingOf(listed.entry)
    this.#log({ event: 'to-be-cleaned', agent: listed.ref.agentId, task: listed.ref.taskId, status, reason })
    await this.#clean(listed, { status, reason })
  }

  async #examine(listed: Listed): Promise<void> {
    const { key, ref, entry } = listed
    const ending = await judge(ref, entry)
    if (!ending) {
      this.#pulses.isAlive(key)
      this.#signs.know(key, entry)
      this.#seenSessions.add(key)
      this.#succeeded(key)
      return
    }
    const isNew = !recordedTmux(entry) && !this.#seenSessions.has(key)
    if (isNew && this.#deploys.mayBeInTheMaking(key, entry)) return
    this.#log({ event: 'ended', agent: ref.agentId, task: ref.taskId, ...ending })
    await this.#clean(listed, ending)
  }

  async #clean({ key, ref }: Listed, ending: Ending): Promise<void> {
    const report = await cleanUp(ref, { ...ending, graceMs: this.#graceMs, log: this.#log })
    if (report.outcome === 'unfinished' || report.outcome === 'handed-over')
      this.#failed(key, report.problems)
    else this.#succeeded(key)
  }

  #failed(key: string, problems: string[]): void {
    const againInMs = this.#backoff.failed(key)
    if (this.#told.isNews(key, problems.join(' ')))
      this.#log({ event: 'not-cleaned', agent: key, problems, againInMs })
  }

  #succeeded(key: string): void {
    this.#backoff.succeeded(key)
    if (this.#told.isOver(key)) this.#log({ event: 'trouble-over', agent: key })
  }

  #tell(about: string, problem: string | undefined): void {
    if (problem === undefined) {
      if (this.#told.isOver(about)) this.#log({ event: 'problem-over', about })
    } else if (this.#told.isNews(about, problem)) this.#log({ event: 'problem', about, problem })
  }

  #forget(key: string): void {
    for (const memory of this.#memories) memory.forget(key)
    this.#backoff.succeeded(key)
    this.#told.isOver(key)
    this.#seenSessions.delete(key)
  }
}

const endingOf = (entry: AgentEntry): Ending => ({
  status: entry.status,
  reason: entry.reason ?? `its status is ${entry.status}`,
})
