import { messageOf } from '../errors.ts'
import { holdRetention } from '../retention/hold.ts'
import type { Observer } from './problem-dedup.ts'

/** How many agents make a mass death when they are also more than half, and within which time, in ms. */
const AT_LEAST = 5
const WITHIN_MS = 10_000
/** How long retention removes nothing afterwards, in ms: somebody will want to see what happened. */
const HOLD_MS = 24 * 3_600_000

/**
 * Detects that most agents of a workspace died at once. The cause is seldom the agents: the machine restarted, the
 * out-of-memory killer ran, or somebody ran kill-server. They may have died before the daemon started, as after a restart,
 * so the time at which each was found counts. An end that somebody reported does not count, and neither does a success.
 * A mass death is logged as an alarm, and retention is held for a day; the agents are cleaned up like any others.
 */
export class MassDeaths {
  readonly #workspace: string
  readonly #observer: Observer
  /** When the check began that found each dead agent, by the monotonic clock. */
  readonly #checkStartedAt = new Map<string, number>()
  #firstFoundAt = Number.NEGATIVE_INFINITY
  #lastFoundAt = Number.NEGATIVE_INFINITY
  #isAnnounced = false
  #heldUntil: number | undefined

  constructor(workspace: string, observer: Observer) {
    this.#workspace = workspace
    this.#observer = observer
  }

  /** `checkStartedAt` counts: of ten thousand agents that died at once, the last is found dead long after the first. */
  died(key: string, checkStartedAt: number): void {
    this.#lastFoundAt = performance.now()
    if (this.#checkStartedAt.size === 0) this.#firstFoundAt = this.#lastFoundAt
    this.#checkStartedAt.set(key, checkStartedAt)
  }

  /**
   * To be called at every check, with the agents that the registries list as live: they may not record all deaths yet.
   * While more agents are being checked it waits for a while, so that all of them are counted.
   */
  announce(live: () => readonly string[], isAnyChecking: boolean): void {
    if (this.#heldUntil !== undefined && performance.now() >= this.#heldUntil) {
      this.#heldUntil = undefined
      this.#observer.degraded(this.#about, undefined)
    }
    if (this.#checkStartedAt.size === 0) return
    if (isAnyChecking && performance.now() - this.#firstFoundAt < WITHIN_MS) return
    this.#forgetOld()
    this.#decide(live)
    // Only now: while a server that hangs is asked, the wait ends when all of them are that old.
    if (performance.now() - this.#lastFoundAt < WITHIN_MS) return
    this.#checkStartedAt.clear()
    this.#isAnnounced = false
  }

  #decide(live: () => readonly string[]): void {
    const gone = this.#checkStartedAt.size
    if (this.#isAnnounced || gone < AT_LEAST) return
    const left = live().filter(key => !this.#checkStartedAt.has(key)).length
    if (gone <= left) return
    this.#isAnnounced = true
    this.#heldUntil = performance.now() + HOLD_MS
    const until = new Date(Date.now() + HOLD_MS).toISOString()
    const reason = `${gone} of ${gone + left} agents of ${this.#workspace} were found dead within ${WITHIN_MS / 1000} s`
    this.#observer.log({
      event: 'mass-death',
      workspace: this.#workspace,
      gone,
      of: gone + left,
      until,
      reason,
    })
    this.#observer.massDeath()
    this.#observer.degraded(this.#about, `${reason}; nothing is purged until ${until}.`)
    this.#hold(until, reason)
  }

  /** Keeps the deaths of one stretch of time, which lasts as long as more are found. */
  #forgetOld(): void {
    const latest = Math.max(...this.#checkStartedAt.values())
    for (const [key, at] of this.#checkStartedAt)
      if (at < latest - WITHIN_MS) this.#checkStartedAt.delete(key)
  }

  get #about(): string {
    return `mass-death ${this.#workspace}`
  }

  #hold(until: string, reason: string): void {
    try {
      holdRetention(this.#workspace, { until, reason })
    } catch (error) {
      const problem = `Retention of ${this.#workspace} could not be held: ${messageOf(error)}.`
      this.#observer.log({ event: 'problem', problem })
    }
  }
}
