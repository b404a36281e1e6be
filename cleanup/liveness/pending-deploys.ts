import type { AgentEntry } from '../registry/entries.ts'
import { parseTimestamp } from '../registry/timestamps.ts'

/** How long a deploy may take, in ms. An agent without a session after that time is a deploy that failed halfway. */
export const DEPLOY_MS = 60_000

/**
 * How long the deploy of an agent that was listed before we came may still take, in ms, by the wall clock. An agent
 * without a start time has unknown age and gets the whole time.
 */
export function deployTimeLeft({ started_at }: AgentEntry): number {
  return Date.now() - parseTimestamp(started_at).latest >= DEPLOY_MS ? 0 : DEPLOY_MS
}
