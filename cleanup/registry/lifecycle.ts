import { isDeepStrictEqual } from 'node:util'
import type { AgentEntry } from './entries.ts'

const TERMINAL: ReadonlySet<string> = new Set(['completed', 'terminated', 'error', 'failed', 'crashed'])

/**
 * True only for the words known to mean an end. Everything else counts as live, an unknown word too: nobody's
 * agent is ended over a status that this version has not learned.
 */
export function isTerminal(status: unknown): boolean {
  return typeof status === 'string' && TERMINAL.has(status)
}

/** How an agent ends: a terminal status, and why in plain words. */
export interface Ending {
  status: string
  reason: string
}

/** The end that an entry with a terminal status records. */
export const endingOf = ({ status, reason }: AgentEntry): Ending => ({
  status,
  reason: reason ?? `its status is ${status}`,
})

/** True when an agent's end is on disk and its cleanup is not finished, also when no cleanup was ever begun. */
export function isPending(entry: AgentEntry): boolean {
  return isTerminal(entry.status) && !isDone(entry)
}

/** True when nothing of an agent is left. A live status beside that is another program's, which read before our write. */
export function isDone(entry: AgentEntry): boolean {
  return entry.cleanup?.state === 'done' && !isOfBefore(entry)
}

/** True when what is noted as done is not this end's: the agent lives, or was started again since and kept its entry. */
export function isOfBefore({ status, started_at, cleanup }: AgentEntry): boolean {
  if (cleanup?.state !== 'done') return false
  return (
    !isTerminal(status) ||
    (cleanup.started_at !== undefined && !isDeepStrictEqual(cleanup.started_at, started_at))
  )
}

/**
 * True while an entry tells of the run that was judged by it. Between a verdict and its turn among many cleanups an agent
 * may be started again under its id, or somebody else may have written its end.
 */
export const isSameRun = (judged: AgentEntry, now: AgentEntry): boolean => runOf(judged) === runOf(now)

const runOf = ({ status, started_at, tmux, tmux_session }: AgentEntry): string =>
  JSON.stringify([status, started_at, tmux, tmux_session])
