import type { Depth } from './warden.ts'

/** How often the agents' processes are asked for, in ms: with the time to ask tmux and to look closer, well under 300. */
const GLANCE_MS = 240
/** How often each agent's pane process is read from /proc, in ms. */
const LOOK_MS = 5_000
/** How often everything is looked at although nothing was heard, in ms: what no watch has told is seen then. */
const ASK_MS = 60_000

/** Says how closely the next round looks: the dearer, the seldomer. By a clock that nobody can set. */
export class Rounds {
  readonly pauseMs = GLANCE_MS
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
}
