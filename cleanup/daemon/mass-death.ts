import { words } from '../errors.ts'
import { holdRetention } from '../retention/hold.ts'
import type { Observer } from './observer.ts'

/** How many agents make a mass death when they are also more than half, and within which time, in ms. */
const AT_LEAST = 5
const WITHIN_MS = 10_000
/** How long nothing is purged afterwards, in ms: somebody will want to see what happened. */
const HOLD_MS = 24 * 3_600_000

/**
 * Notices when most agents of a workspace die at once. That is seldom their own doing: a machine that restarted, an
 * out-of-memory killer, somebody's kill-server. They may have died before the daemon was started, as after a restart: all that
 * is known is when they were found. An end that somebody reported, or a success, is none of it. It is
 * announced loudly, and retention is held for a day; the agents are cleaned up like any others.
 */
export class MassDeaths {
  readonly #workspace: string
  readonly #observer: Observer
  readonly #diedAt = new Map<string, number>()
  #isAnnounced = false
  #heldUntil: number | undefined

  constructor(workspace: string, observer: Observer) {
    this.#workspace = workspace
    this.#observer = observer
  }

  died(key: string): void {
    this.#diedAt.set(key, performance.now())
  }

  /** To be called with every round, with the agents that live by the registries, which do not know of all deaths yet. */
  announce(live: () => readonly string[]): void {
    if (this.#heldUntil !== undefined && performance.now() >= this.#heldUntil) {
      this.#heldUntil = undefined
      this.#observer.degraded(this.#about, undefined)
    }
    if (this.#diedAt.size === 0) return
    const oldest = performance.now() - WITHIN_MS
    for (const [key, at] of this.#diedAt) if (at < oldest) this.#diedAt.delete(key)
    const gone = this.#diedAt.size
    const left = live().filter(key => !this.#diedAt.has(key)).length
    if (gone === 0) this.#isAnnounced = false
    if (this.#isAnnounced || gone < AT_LEAST || gone <= left) return
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

  get #about(): string {
    return `mass-death ${this.#workspace}`
  }

  #hold(until: string, reason: string): void {
    try {
      holdRetention(this.#workspace, { until, reason })
    } catch (error) {
      const problem = `Retention of ${this.#workspace} could not be held: ${words(error)}.`
      this.#observer.log({ event: 'problem', problem })
    }
  }
}
