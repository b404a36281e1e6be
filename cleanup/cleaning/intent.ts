import { CleanupError } from '../errors.ts'
import type { Identity } from '../processes/identity.ts'
import type { AgentRef } from '../workspace/layout.ts'
import { readAgent } from '../workspace/registry.ts'
import type { AgentEntry, CleanupRecord } from '../workspace/registry-types.ts'
import { isTerminal } from '../workspace/status.ts'
import { updateAgent } from '../workspace/update-agent.ts'

/** How an agent ends: a terminal status, and why in plain words. */
export interface Ending {
  status: string
  reason: string
}

/**
 * Puts on disk, in both registries, that an agent is at its end and that its cleanup is still to be done. It comes
 * before anything is ended, so whoever finds the entry later finishes what a killed cleaner began. The first
 * terminal status stays, with its time and its reason: a cleaner that comes later did not decide the end.
 * It leaves the work to the daemon, or to the next cleaner. Throws `bad-argument` for a status that is not terminal.
 */
export async function recordIntent(ref: AgentRef, ending: Ending): Promise<AgentEntry> {
  return writeIntent(ref, readAgent(ref), ending)
}

/** The same for a cleaner that has read the entry already, and sets out to do the work itself. */
export async function writeIntent(
  ref: AgentRef,
  known: AgentEntry,
  ending: Ending,
  cleaner?: Identity,
): Promise<AgentEntry> {
  if (!isTerminal(ending.status))
    throw new CleanupError(
      'bad-argument',
      `The status "${ending.status}" is refused for the end of ${ref.agentId}: expected completed, terminated, error, failed or crashed.`,
    )
  if (isTerminal(known.status) && known.cleanup !== undefined) return known
  let written = known
  await updateAgent(ref, entry => {
    applyIntent(entry, ending, cleaner)
    written = structuredClone(entry)
  })
  return written
}

function applyIntent(entry: AgentEntry, ending: Ending, cleaner: Identity | undefined): void {
  const since = new Date().toISOString()
  if (!isTerminal(entry.status)) {
    entry.status = ending.status
    entry.completed_at = since
    entry.reason = ending.reason
  }
  entry.completed_at ??= since
  entry.reason ??= ending.reason
  entry.cleanup ??= { state: 'pending', since, reason: entry.reason, ...(cleaner && { cleaner }) }
}

/** True when an agent's end is on disk and its cleanup is not finished, also when no cleanup was ever begun. */
export function isPending(entry: AgentEntry): boolean {
  return isTerminal(entry.status) && entry.cleanup?.state !== 'done'
}

/** Puts on disk that nothing of the agent is left. */
export function recordDone(ref: AgentRef): Promise<void> {
  return updateAgent(ref, entry => {
    const { problems: _solved, ...record } = entry.cleanup ?? pendingNow(entry)
    entry.cleanup = { ...record, state: 'done', finished_at: new Date().toISOString() }
  })
}

/** Puts on disk why something is left, so that the reason outlives the cleaner that nobody watched. */
export function recordProblems(ref: AgentRef, problems: string[]): Promise<void> {
  return updateAgent(ref, entry => {
    entry.cleanup = { ...(entry.cleanup ?? pendingNow(entry)), problems }
  })
}

const pendingNow = (entry: AgentEntry): CleanupRecord => ({
  state: 'pending',
  since: new Date().toISOString(),
  reason: entry.reason ?? '',
})
