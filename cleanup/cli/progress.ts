import { CLEANED_AT_ONCE } from '../platform/slots.ts'
import type { Progress } from '../sweep/agents.ts'

/** After how long the first line comes, and how long after each the next one, in ms: what is quick says nothing. */
const FIRST_MS = 3_000
const EVERY_MS = 5_000

/** Says how far a sweep has come, as it goes on; of agents that are all under way at once there is nothing to say. */
export function progressTo(stream: NodeJS.WritableStream): Progress {
  let dueAt = performance.now() + FIRST_MS
  return (what, done, of) => {
    if (of <= CLEANED_AT_ONCE || performance.now() < dueAt) return
    dueAt = performance.now() + EVERY_MS
    stream.write(`leakrig: ${done} of ${of} agents ${what}\n`)
  }
}
