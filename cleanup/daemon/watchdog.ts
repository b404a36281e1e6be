import { detectFinished } from '../liveness/finished-agent.ts'
import { markSilence, Silence } from '../liveness/silence.ts'
import type { Log } from '../log.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { streamLog } from '../registry/layout.ts'
import type { Ending } from '../registry/lifecycle.ts'

export interface WatchdogOptions {
  /** How long an agent may be silent before it is marked, in ms. */
  silentAfterMs: number
  /** Ends silent agents that have finished their work. Otherwise silence is only logged. */
  endIdle: boolean
}

/** Marks one agent as silent, logs that once, and ends the agent if it has finished and that is asked for. */
export class Watchdog {
  readonly #ref: AgentRef
  readonly #options: WatchdogOptions
  readonly #log: Log
  readonly #silence: Silence

  constructor(ref: AgentRef, options: WatchdogOptions, log: Log) {
    this.#ref = ref
    this.#options = options
    this.#log = log
    this.#silence = new Silence(options.silentAfterMs)
  }

  /** Checks once; returns the work that follows, which resolves with an ending when the agent is to end. */
  check(entry: AgentEntry): (() => Promise<Ending | undefined>) | undefined {
    const log = streamLog(this.#ref)
    const change = this.#silence.check(entry, log)
    if (change === undefined || (change === 'lasts' && !this.#options.endIdle)) return undefined
    return async () => {
      if (change === 'begins') {
        if (await this.#silence.follow(entry, log)) return undefined
        await this.#mark(true)
      }
      if (change === 'ends') await this.#mark(false)
      return change !== 'ends' && this.#options.endIdle ? this.#detectFinished(entry) : undefined
    }
  }

  async #mark(isSilent: boolean): Promise<void> {
    const { silentAfterMs } = this.#options
    await markSilence(this.#ref, isSilent ? new Date(Date.now() - silentAfterMs) : undefined)
    this.#silence.marked(isSilent)
    if (isSilent) this.#log({ event: 'silent', ...this.#about, forMs: silentAfterMs })
    else this.#log({ event: 'output-resumed', ...this.#about })
  }

  async #detectFinished(entry: AgentEntry): Promise<Ending | undefined> {
    const ending = await detectFinished(this.#ref, entry)
    if (ending) this.#log({ event: 'idle', ...this.#about, ...ending })
    return ending
  }

  get #about() {
    return { agent: this.#ref.agentId, task: this.#ref.taskId }
  }
}
