import { detectIdleEnd } from '../liveness/finished-agent.ts'
import { markSilence, Silences } from '../liveness/silence.ts'
import type { Log } from '../log.ts'
import { streamLog } from '../registry/layout.ts'
import type { Ending } from '../registry/lifecycle.ts'
import type { Listed } from './registry-watch.ts'

export interface WatchdogOptions {
  /** How long an agent may say nothing before it is called silent, in ms. */
  silentAfterMs: number
  /** Ends those that finished and idle. Otherwise silence is only told. */
  endIdle: boolean
}

/** Marks agents that have gone silent, tells of each once, and ends those that finished and idle when asked to. */
export class Watchdog {
  readonly #options: WatchdogOptions
  readonly #silences: Silences
  readonly #log: Log

  constructor(options: WatchdogOptions, log: Log) {
    this.#options = options
    this.#silences = new Silences(options.silentAfterMs)
    this.#log = log
  }

  /** Looks once; returns what is to be done about it, which resolves with an ending where there is one. */
  look({ key, ref, entry }: Listed): (() => Promise<Ending | undefined>) | undefined {
    const { silentAfterMs, endIdle } = this.#options
    const about = { agent: ref.agentId, task: ref.taskId }
    const silence = this.#silences.look(key, entry, streamLog(ref))
    if (silence === undefined || (silence === 'lasts' && !endIdle)) return undefined
    return async () => {
      if (silence === 'begins') {
        await markSilence(ref, new Date(Date.now() - silentAfterMs))
        this.#silences.marked(key, true)
        this.#log({ event: 'silent', ...about, forMs: silentAfterMs })
      }
      if (silence === 'ends') {
        await markSilence(ref, undefined)
        this.#silences.marked(key, false)
        this.#log({ event: 'output-resumed', ...about })
        return undefined
      }
      const ending = endIdle ? await detectIdleEnd(ref, entry) : undefined
      if (ending) this.#log({ event: 'idle', ...about, ...ending })
      return ending
    }
  }

  forget(key: string): void {
    this.#silences.forget(key)
  }
}
