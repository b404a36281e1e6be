import type { CheckLevel } from './reconciler.ts'
import type { Wakeup } from './wakeup.ts'

/** How often the agents' processes are asked for, in ms: with the time to ask tmux and to look closer, well under 300. */
const BLINK_MS = 180
/** After how many blinks that saw nothing there is a round all the same. */
const BLINKS = 3
/** How often each agent's pane process is read from /proc, in ms. */
const LOOK_MS = 5_000
/** How often everything is looked at although nothing was heard, in ms: what no watch has told is seen then. */
const ASK_MS = 60_000

/** How long a call is given to be followed by more, in ms. */
const COALESCE_MS = 10
/** How long nobody goes round again, as a multiple of what a round took, and in ms at most. */
const REST = 2
const LONGEST_REST_MS = 1_000

/** Says when the next round is due, and how closely it looks: the dearer, the seldomer. By a clock that nobody can set. */
export class Scheduler {
  #lookedAt = Number.NEGATIVE_INFINITY
  #askedAt = Number.NEGATIVE_INFINITY
  #tookMs = 0

  #next(): CheckLevel {
    const now = performance.now()
    if (now - this.#askedAt >= ASK_MS) {
      this.#askedAt = now
      this.#lookedAt = now
      return 'full'
    }
    if (now - this.#lookedAt < LOOK_MS) return 'quick'
    this.#lookedAt = now
    return 'processes'
  }

  /**
   * How long is to be waited after a call, in ms: it may be followed by more, as a registry is written a few times in a
   * row. Where a round takes long, because there are thousands of agents, the time between is for the work that it found.
   */
  get restMs(): number {
    return Math.min(Math.max(COALESCE_MS, REST * this.#tookMs), LONGEST_REST_MS)
  }

  /** Goes round, and notes how long that takes. */
  go(round: (level: CheckLevel) => void): void {
    const startedAt = performance.now()
    round(this.#next())
    this.#tookMs = performance.now() - startedAt
  }

  /** Waits until a round is due: somebody called (then it returns true), `blink` saw a reason, or it is time. */
  async due(wakeup: Wakeup, blink: () => boolean): Promise<boolean> {
    for (let n = 0; n < BLINKS; n++) {
      if (await wakeup.wait(BLINK_MS)) return true
      if (blink()) return false
    }
    return false
  }
}
