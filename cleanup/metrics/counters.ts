import { textOf } from '../platform/files/json.ts'
import type { Outcome } from '../reaper/report.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { Histogram } from './histogram.ts'

/** How a cleanup ended: as it reported, or by throwing, which ends and deletes nothing. */
export type CountedOutcome = Outcome | 'failed'

/** Every outcome is there from the start with 0, so that a rate has something to rise from. */
const OUTCOMES: readonly CountedOutcome[] = ['clean', 'already-clean', 'handed-over', 'unfinished', 'failed']

/** In seconds: a well-behaved agent takes half a second, the grace is 3, a backoff goes up to a minute. */
const BASELINE_BOUNDS = [0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1800, 7200]

/** What a daemon counts while it runs. It starts from nothing with the daemon; Prometheus knows about restarts. */
export class Counters {
  readonly startedAtMs = Date.now()
  readonly outcomes = new Map<CountedOutcome, number>(OUTCOMES.map(outcome => [outcome, 0]))
  readonly timeToBaseline = new Histogram(BASELINE_BOUNDS)
  massDeaths = 0
  /** When the last round began, in ms since 1970; undefined before the first. */
  lastRoundMs: number | undefined

  /** Counts a cleanup. With the agent's entry after a `clean` one, the time to baseline too. */
  count(outcome: CountedOutcome, entry?: AgentEntry): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
    const seconds = outcome === 'clean' && entry ? secondsToBaseline(entry) : undefined
    if (seconds !== undefined) this.timeToBaseline.observe(seconds)
  }
}

/**
 * How long an agent outlived its end: from when its end was written into the registry to when nothing of it was
 * left, in seconds. Undefined where the registry does not say, or where the clock was moved in between.
 */
export function secondsToBaseline({ completed_at, cleanup }: AgentEntry): number | undefined {
  const ms = Date.parse(textOf(cleanup?.finished_at)) - Date.parse(textOf(completed_at))
  return ms >= 0 ? ms / 1000 : undefined
}
