import { isDeepStrictEqual } from 'node:util'
import type { AgentEntry } from './entries.ts'

const TERMINAL: ReadonlySet<string> = new Set(['completed', 'terminated', 'error', 'failed', 'crashed'])

/** True for the known terminal statuses only. Unknown ones count as live, so that a newer status never ends an agent. */
export function isTerminal(status: unknown): boolean {
  return typeof status === 'string' && TERMINAL.has(status)
}

/** An agent's end: a terminal status and the reason in words. */
export interface Ending {
  status: string
  reason: string
}

/** The end that an entry with a terminal status records. */
export const endingOf = ({ status, reason }: AgentEntry): Ending => ({
  status,
  reason: reason ?? `its status is ${status}`,
})

/** True when an agent's end is recorded and its cleanup is not finished or was never begun. */
export function isPending(entry: AgentEntry): boolean {
  return isTerminal(entry.status) && !isDone(entry)
}

/** True when the cleanup of the current run is recorded as done. */
export function isDone(entry: AgentEntry): boolean {
  return entry.cleanup?.state === 'done' && !isOfEarlierRun(entry)
}

/**
 * True when the recorded cleanup belongs to an earlier run: the agent is live, or was started again under the same entry. A
 * live status may also come from a program that read the registry before our write.
 */
export function isOfEarlierRun({ status, started_at, cleanup }: AgentEntry): boolean {
  if (cleanup?.state !== 'done') return false
  return (
    !isTerminal(status) ||
    (cleanup.started_at !== undefined && !isDeepStrictEqual(cleanup.started_at, started_at))
  )
}

/**
 * True while an entry still describes the run that was checked. While its cleanup waits, an agent may be started again under
 * its id, or another program may record its end.
 */
export const isSameRun = (checked: AgentEntry, now: AgentEntry): boolean => runOf(checked) === runOf(now)

const runOf = ({ status, started_at, tmux, tmux_session }: AgentEntry): string =>
  JSON.stringify([status, started_at, tmux, tmux_session])
