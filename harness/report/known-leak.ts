import type { Mechanism } from '../verdict/mechanisms.ts'

/** What is known to be left after a scenario, and may be left until a day: an entry of `leakrig.known.json`. */
export interface KnownLeak {
  system: string
  /** The name of the scenario, or of the cell. */
  scenario: string
  /** The mechanism of the findings; `expectation` for an expectation that is not met. */
  mechanism: KnownMechanism
  /** How many findings there may be at most. */
  count: number
  /** Why it may stay, for people: the issue, the plan. */
  reason: string
  /** The last day on which it counts as known, YYYY-MM-DD in UTC. */
  expires: string
}

export type KnownMechanism = Mechanism | 'expectation'
