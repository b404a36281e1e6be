import { cleanUp } from '../cleaning/clean-up.ts'
import { type Ending, isPending } from '../cleaning/intent.ts'
import type { Log } from '../cleaning/report.ts'
import { words } from '../errors.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import type { AgentEntry } from '../workspace/registry-types.ts'
import { isTerminal } from '../workspace/status.ts'
import { Backoff } from './backoff.ts'
import { judge } from './judge.ts'
import { Orphans } from './orphans.ts'
import { Pulses } from './pulse.ts'
import { type Listed, RegistryWatch } from './registry-watch.ts'

/** How long a cleaner that set out by itself is left alone, in ms: its caller is still to get an answer. */
const HEAD_START_MS = 1_000
/** How old an agent must be that has no session yet before it counts as a deploy that failed halfway, in ms. */
const DEPLOY_MS = 60_000

/** Watches over the agents of one workspace: notices ends, and cleans up. */
export class Warden implements Disposable {
  readonly #registries: RegistryWatch
  readonly #graceMs: number
  readonly #log: Log
  readonly #wake: () => void
  readonly #pulses = new Pulses()
  readonly #orphans = new Orphans()
  readonly #backoff = new Backoff()
  readonly #seenSessions = new Set<string>()
  readonly #atWork = new Map<string, Promise<void>>()

  constructor(workspace: string, graceMs: number, log: Log, wake: () => void) {
    this.#graceMs = graceMs
    this.#log = log
    this.#wake = wake
    this.#registries = new RegistryWatch(workspace, wake, problem =>
      log({ event: 'problem', workspace, problem }),
    )
  }

  /**
   * Goes round once: takes up whatever needs it, without waiting for it. `thorough` asks tmux about every live agent,
   * one question per server. Returns true while somebody is live or to be cleaned up.
   */
  round(thorough: boolean): boolean {
    let busy = this.#atWork.size > 0
    for (const { ref, entry } of this.#registries.agents()) {
      const key = `${ref.taskId}/${ref.agentId}`
      if (isTerminal(entry.status) && !isPending(entry)) {
        this.#pulses.forget(key)
        this.#orphans.forget(key)
        continue
      }
      busy = true
      if (this.#atWork.has(key) || !this.#backoff.isDue(key)) continue
      if (isPending(entry)) {
        if (!hasHeadStart(entry)) this.#start(key, () => this.#clean(key, { ref, entry }, endingOf(entry)))
        continue
      }
      this.#orphans.note(key, ref, entry)
      if (thorough || this.#pulses.mayHaveEnded(key, entry))
        this.#start(key, () => this.#examine(key, { ref, entry }))
    }
    return busy
  }

  /** Resolves when nothing is being worked at. */
  async idle(): Promise<void> {
    await Promise.all(this.#atWork.values())
  }

  [Symbol.dispose](): void {
    this.#registries[Symbol.dispose]()
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

  async #examine(key: string, listed: Listed): Promise<void> {
    const ending = await judge(listed.ref, listed.entry)
    if (!ending) {
      this.#pulses.isAlive(key)
      this.#seenSessions.add(key)
      return
    }
    if (!recordedTmux(listed.entry) && !this.#seenSessions.has(key) && isYoung(listed.entry)) return
    this.#log({ event: 'ended', agent: listed.ref.agentId, ...ending })
    await this.#clean(key, listed, ending)
  }

  async #clean(key: string, { ref }: Listed, ending: Ending): Promise<void> {
    const report = await cleanUp(ref, { ...ending, graceMs: this.#graceMs, log: this.#log })
    if (report.outcome === 'unfinished' || report.outcome === 'handed-over')
      this.#failed(key, report.problems)
    else this.#backoff.succeeded(key)
  }

  #failed(key: string, problems: string[]): void {
    const againInMs = this.#backoff.failed(key)
    this.#log({ event: 'not-cleaned', agent: key, problems, againInMs })
  }
}

const endingOf = (entry: AgentEntry): Ending => ({
  status: entry.status,
  reason: entry.reason ?? `its status is ${entry.status}`,
})

function hasHeadStart({ cleanup }: AgentEntry): boolean {
  const age = Date.now() - Date.parse(cleanup?.since ?? '')
  return cleanup?.cleaner !== undefined && age >= 0 && age < HEAD_START_MS
}

/** Without a time of its start an agent is of unknown age, and not judged by it. */
function isYoung(entry: AgentEntry): boolean {
  const age = Date.now() - Date.parse(entry.started_at ?? '')
  return !(age >= DEPLOY_MS)
}
