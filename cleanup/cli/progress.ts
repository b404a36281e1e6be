import { CLEANED_AT_ONCE } from '../platform/slots.ts'
import type { Progress } from '../sweep/agents.ts'

/** When the first line is due and the interval after it, in ms: a quick sweep prints none. */
const FIRST_MS = 3_000
const EVERY_MS = 5_000

/** Prints how far a sweep has come, unless all its agents are worked on at once. */
export function progressTo(stream: NodeJS.WritableStream): Progress {
  let dueAt = performance.now() + FIRST_MS
  return (what, done, of) => {
    if (of <= CLEANED_AT_ONCE || performance.now() < dueAt) return
    dueAt = performance.now() + EVERY_MS
    stream.write(`leakrig: ${done} of ${of} agents ${what}\n`)
  }
}
