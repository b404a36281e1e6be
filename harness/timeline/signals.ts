import { z } from 'zod'
import type { Signal } from './timeline.ts'

/** More than these are not kept: a program of the sandbox may write what it likes. */
const most = 5_000

const word = z.string().min(1).max(128)
const pid = z
  .int()
  .positive()
  .max(2 ** 31)

/** A line of the log that the bundled cleanup appends to (LEAKRIG_CLEANUP_LOG, docs/operators.md). */
const lineSchema = z.object({
  event: z.literal('signal'),
  time: z.iso.datetime(),
  signal: z.string().regex(/^SIG[A-Z][A-Z0-9]{1,11}$/),
  pid,
  start: z.int().nonnegative(),
  comm: word,
  by: word.exactOptional(),
  cleaner: pid.exactOptional(),
  agent: word.exactOptional(),
})

/**
 * The signals that a system's log names, by time. Whatever is not such a line, or not of the scenario's time, is left out.
 * @param startedAt when the time line began, ms since the epoch
 */
export function signalsIn(log: string, startedAt: number, endedAt: number): Signal[] {
  const found = log.split('\n').flatMap((line): Signal[] => {
    const { data } = lineSchema.safeParse(jsonOf(line))
    if (!data) return []
    const { time, pid, start, comm, signal, by, cleaner, agent } = data
    const at = Date.parse(time) - startedAt
    if (at < 0 || at > endedAt) return []
    return [
      {
        ...{ at, signal, process: `process ${pid}@${start}`, pid, comm },
        ...(by !== undefined && { by }),
        ...(cleaner !== undefined && { cleaner }),
        ...(agent !== undefined && { agent }),
      },
    ]
  })
  return found.toSorted((one, other) => one.at - other.at).slice(0, most)
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
