import { isDeepStrictEqual } from 'node:util'
import { CleanupError } from '../errors.ts'
import type { Identity } from '../platform/processes/identity.ts'
import type { AgentEntry, CleanupRecord } from './entries.ts'
import type { AgentRef } from './layout.ts'
import { type Ending, isOfBefore, isTerminal } from './lifecycle.ts'
import { readAgent } from './registry.ts'
import { syncGlobal } from './sync-global.ts'
import { changeAgent, updateAgent } from './update.ts'

/**
 * Puts on disk, in both registries, that an agent is at its end and that its cleanup is still to be done. It comes
 * before anything is ended, so whoever finds the entry later finishes what a killed cleaner began. The first
 * terminal status stays, with its time and its reason: a cleaner that comes later did not decide the end.
 * It leaves the work to the daemon, or to the next cleaner. Throws `bad-argument` for a status that is not terminal.
 */
export async function recordIntent(ref: AgentRef, ending: Ending): Promise<AgentEntry> {
  const entry = await writeIntent(ref, readAgent(ref), ending)
  await syncGlobal(ref)
  return entry
}

/**
 * The same in the task's registry only, for a cleaner that has read the entry already and sets out to do the work
 * itself: whoever finishes what it began goes by the task's, so the global one can wait until the signals are sent.
 */
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
  if (isTerminal(known.status) && known.cleanup !== undefined && !isOfBefore(known)) return known
  let entry = known
  await changeAgent(ref, onDisk => {
    applyIntent(onDisk, ending, cleaner)
    entry = structuredClone(onDisk)
  })
  return entry
}

function applyIntent(entry: AgentEntry, ending: Ending, cleaner: Identity | undefined): void {
  const since = new Date().toISOString()
  // Also of an earlier end that somebody has taken back.
  if (isOfBefore(entry)) delete entry.cleanup
  if (!isTerminal(entry.status)) applyEnding(entry, ending, since)
  entry.completed_at ??= since
  entry.reason ??= ending.reason
  entry.cleanup ??= { state: 'pending', since, reason: entry.reason, ...(cleaner && { cleaner }) }
}

function applyEnding(entry: AgentEntry, { status, reason }: Ending, at: string): void {
  Object.assign(entry, { status, reason, completed_at: at })
}

/**
 * Puts on disk that nothing of the agent is left: first in the global registry, then in the task's, which says
 * whether there is something to finish. Killed between the two, the next cleaner does both again. `ending` is told once
 * more where another program has written the entry as it was before. Returns false, and leaves it pending, when the agent
 * has got another place in tmux than the one that was cleaned up: its deploy was overtaken by its end.
 */
export async function recordDone(ref: AgentRef, known: AgentEntry, ending: Ending): Promise<boolean> {
  const finished_at = new Date().toISOString()
  let isThatPlace = false
  const finish = (entry: AgentEntry): void => {
    isThatPlace = isDeepStrictEqual(entry.tmux, known.tmux)
    if (!isThatPlace) return
    if (!isTerminal(entry.status)) applyEnding(entry, ending, finished_at)
    // `residue` is a list of files that earlier versions kept here. Whoever writes the registry could put any file on it.
    const before: CleanupRecord & { residue?: unknown } = entry.cleanup ?? pendingNow(entry)
    const { problems: _solved, residue: _ignored, ...record } = before
    const { started_at } = entry
    entry.cleanup = { ...record, state: 'done', finished_at, ...(started_at !== undefined && { started_at }) }
  }
  await syncGlobal(ref, finish)
  await changeAgent(ref, finish)
  const isRecorded = isThatPlace
  // Somebody may have mirrored the entry as it was in between, or have written the registry as it was.
  await syncGlobal(ref, finish)
  return isRecorded
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
