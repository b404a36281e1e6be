import { textOf } from '../platform/files/json.ts'
import type { Outcome } from '../reaper/report.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { Histogram } from './histogram.ts'

/** The outcome that a cleanup reported, or `failed` for one that threw, which ends and deletes nothing. */
type CountedOutcome = Outcome | 'failed'

/** Every outcome starts at 0, because Prometheus computes no rate from a series that begins at 1. */
const OUTCOMES: readonly CountedOutcome[] = ['clean', 'already-clean', 'handed-over', 'unfinished', 'failed']

/** In seconds: a well-behaved agent takes half a second, the grace is 3 or 7 s, a backoff grows to a minute. */
const BASELINE_BOUNDS = [0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1800, 7200]

/** The daemon's counters. They start at 0 with each daemon; Prometheus handles such resets. */
export class Counters {
  readonly startedAtMs = Date.now()
  readonly outcomes = new Map<CountedOutcome, number>(OUTCOMES.map(outcome => [outcome, 0]))
  readonly timeToBaseline = new Histogram(BASELINE_BOUNDS)
  massDeaths = 0
  /** The start of the last check, in ms since 1970; undefined before the first. */
  lastCheckMs: number | undefined

  /** Counts a cleanup and, for a `clean` one whose agent's entry is given, its time to baseline. */
  count(outcome: CountedOutcome, entry?: AgentEntry): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
    const seconds = outcome === 'clean' && entry ? secondsToBaseline(entry) : undefined
    if (seconds !== undefined) this.timeToBaseline.observe(seconds)
  }
}

/**
 * The seconds from the recorded end of an agent until nothing of the agent was left. Undefined when the registry lacks a
 * time, or when the clock was set back in between.
 */
export function secondsToBaseline({ completed_at, cleanup }: AgentEntry): number | undefined {
  const ms = Date.parse(textOf(cleanup?.finished_at)) - Date.parse(textOf(completed_at))
  return ms >= 0 ? ms / 1000 : undefined
}
