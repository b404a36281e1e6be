import type { Wakeup } from './wakeup.ts'

/**
 * How closely a check looks at the agents; expensive checks run less often. `quick`: what was reported since, and one signal
 * with number 0 per process. `processes`: each agent's processes in /proc. `full`: every registry is read, and tmux is
 * queried about every live agent, once per server.
 */
export type CheckLevel = 'quick' | 'processes' | 'full'

/** How often the agents' runners are signalled with 0, in ms: with the time for tmux and the full check, well under 300. */
const POLL_MS = 180
/** After so many polls without a hit there is a check all the same. */
const POLLS = 3
/** How often each agent's pane process is read from /proc, in ms. */
const PROCESSES_MS = 5_000
/** How often the same is done, and every registry is polled, while a watch fails, in ms. */
const BLIND_MS = 250
/** A check that comes so late, in ms, is a full one: this process was stopped, and events may have been dropped. */
const LATE_MS = 5_000
/** How often everything is checked, in ms, whatever was reported. It finds what no watch has reported. */
const FULL_MS = 60_000

/** How long a call is given to be followed by more calls, in ms: a registry is often written a few times in a row. */
const COALESCE_MS = 10
/** The pause after a check, as a multiple of its duration, and at most, in ms. */
const PAUSE_FACTOR = 2
const LONGEST_PAUSE_MS = 1_000

/** Decides when the next check is due and at which level, by the monotonic clock. */
export class Scheduler {
  #processesAt = Number.NEGATIVE_INFINITY
  #fullAt = Number.NEGATIVE_INFINITY
  #checkedAt = Number.POSITIVE_INFINITY
  #tookMs = 0
  /** True while something that should be watched is not: then checks are frequent. */
  isBlind = false

  /**
   * How long to wait after a call, in ms. With thousands of agents a check takes long, and the time between two checks is
   * for the work that they found.
   */
  get pauseMs(): number {
    return Math.min(Math.max(COALESCE_MS, PAUSE_FACTOR * this.#tookMs), LONGEST_PAUSE_MS)
  }

  /** Runs a check at the level that is due, and measures how long it takes. */
  run(check: (level: CheckLevel) => void): void {
    const startedAt = performance.now()
    check(this.#nextLevel())
    this.#tookMs = performance.now() - startedAt
  }

  /** Waits until a check is due: somebody called (then it returns true), `poll` had a hit, or it is time. */
  async due(wakeup: Wakeup, poll: () => boolean): Promise<boolean> {
    for (let n = 0; n < (this.isBlind ? 1 : POLLS); n++) {
      if (await wakeup.wait(this.isBlind ? BLIND_MS : POLL_MS)) return true
      if (poll()) return false
    }
    return false
  }

  #nextLevel(): CheckLevel {
    const now = performance.now()
    const isLate = now - this.#checkedAt >= LATE_MS
    this.#checkedAt = now
    if (isLate || now - this.#fullAt >= FULL_MS) {
      this.#fullAt = now
      this.#processesAt = now
      return 'full'
    }
    if (now - this.#processesAt < (this.isBlind ? BLIND_MS : PROCESSES_MS)) return 'quick'
    this.#processesAt = now
    return 'processes'
  }
}
