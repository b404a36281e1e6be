import type { Wakeup } from './wakeup.ts'
import type { Depth } from './warden.ts'

/** How often the agents' processes are asked for, in ms: with the time to ask tmux and to look closer, well under 300. */
const BLINK_MS = 180
/** After how many blinks that saw nothing there is a round all the same. */
const BLINKS = 3
/** How often each agent's pane process is read from /proc, in ms. */
const LOOK_MS = 5_000
/** How often everything is looked at although nothing was heard, in ms: what no watch has told is seen then. */
const ASK_MS = 60_000

/** Says when the next round is due, and how closely it looks: the dearer, the seldomer. By a clock that nobody can set. */
export class Rounds {
  #lookedAt = Number.NEGATIVE_INFINITY
  #askedAt = Number.NEGATIVE_INFINITY

  next(): Depth {
    const now = performance.now()
    if (now - this.#askedAt >= ASK_MS) {
      this.#askedAt = now
      this.#lookedAt = now
      return 'ask'
    }
    if (now - this.#lookedAt < LOOK_MS) return 'glance'
    this.#lookedAt = now
    return 'look'
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
