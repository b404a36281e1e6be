import { isDeepStrictEqual } from 'node:util'
import { CleanupError, messageOf, takesNoWrites } from '../errors.ts'
import { isJson } from '../platform/files/json.ts'
import { copyMember } from '../platform/json/spelling.ts'
import type { Identity } from '../platform/processes/identity.ts'
import type { AgentEntry, CleanupRecord, RecordedSupervisor, RecordedSuspect } from './entries.ts'
import type { AgentRef } from './layout.ts'
import { type Ending, isOfEarlierRun, isSameRun, isTerminal } from './lifecycle.ts'
import { readAgent } from './registry.ts'
import { readSpelledAgent } from './spelled-agent.ts'
import { syncGlobal } from './sync-global.ts'
import { changeAgent, updateAgent } from './update.ts'
import { requireDeployedHere } from './world.ts'

/**
 * Records in both registries that an agent has ended and that its cleanup is pending, and leaves the cleanup to the daemon or
 * the next cleaner. It is written before anything is ended, so that a later cleaner can finish what a killed one began. The
 * first terminal status stays, with its time and reason: later cleaners did not decide the end. Throws a CleanupError for a
 * status that is not terminal (`bad-argument`), and for an agent of another world (`elsewhere`).
 */
export async function recordIntent(ref: AgentRef, ending: Ending): Promise<AgentEntry> {
  const entry = await writeIntent(ref, readAgent(ref), ending)
  await syncGlobal(ref)
  return entry
}

/**
 * `recordIntent` in the task's registry only, for a cleaner that has read the entry (`before`) and does the work itself.
 * Whoever finishes its work reads the task's registry, so the global one can wait until the signals are sent.
 */
export async function writeIntent(
  ref: AgentRef,
  before: AgentEntry,
  ending: Ending,
  cleaner?: Identity,
): Promise<AgentEntry> {
  if (!isTerminal(ending.status))
    throw new CleanupError(
      'bad-argument',
      `The status "${ending.status}" is refused for the end of ${ref.agentId}: expected completed, terminated, error, failed or crashed.`,
    )
  if (isTerminal(before.status) && before.cleanup !== undefined && !isOfEarlierRun(before)) return before
  let entry = before
  await changeAgent(ref, onDisk => {
    requireDeployedHere(ref, onDisk)
    applyIntent(onDisk, ending, cleaner)
    entry = structuredClone(onDisk)
  })
  return entry
}

/** An agent's entry with its end. `unwritten`: why that is not on disk, in sentences. */
export interface Intent {
  entry: AgentEntry
  unwritten?: string
}

/**
 * `writeIntent` for a cleaner that goes on where nothing can be written, as on a disk that the agent has filled: an agent that
 * could be ended only with room on the disk would keep filling it. Throws where the entry has changed meanwhile.
 */
export async function writeIntentIfPossible(
  ref: AgentRef,
  before: AgentEntry,
  ending: Ending,
  cleaner: Identity,
): Promise<Intent> {
  try {
    return { entry: await writeIntent(ref, before, ending, cleaner) }
  } catch (error) {
    if (!takesNoWrites(error)) throw error
    const entry = structuredClone(readAgent(ref))
    if (!isSameRun(before, entry)) throw error
    requireDeployedHere(ref, entry)
    applyIntent(entry, ending, cleaner)
    return { entry, unwritten: messageOf(error) }
  }
}

function applyIntent(entry: AgentEntry, ending: Ending, cleaner: Identity | undefined): void {
  const since = new Date().toISOString()
  // The record may also be of an end that another program has reverted.
  if (isOfEarlierRun(entry)) delete entry.cleanup
  if (!isTerminal(entry.status)) {
    applyEnding(entry, ending, since)
    // It may have been run again since an earlier end: its processes are not those that somebody else had started.
    delete entry.cleanup?.supervisors
    delete entry.cleanup?.restarted_since
  }
  entry.completed_at ??= since
  entry.reason ??= ending.reason
  entry.cleanup ??= { state: 'pending', since, reason: entry.reason, ...(cleaner && { cleaner }) }
}

function applyEnding(entry: AgentEntry, { status, reason }: Ending, at: string): void {
  Object.assign(entry, { status, reason, completed_at: at })
}

/**
 * Records that nothing of the agent is left: first in the global registry, then in the task's, which decides whether work is
 * left. If it is killed in between, the next cleaner repeats both. Writes `ending` again where another program has restored
 * a live status. Returns false, and leaves the cleanup pending, when the agent has another place in tmux than `cleaned`,
 * the entry that was cleaned up: its end overtook its deploy. `suspects`: what the cleanup named and left alone.
 */
export async function recordDone(
  ref: AgentRef,
  cleaned: AgentEntry,
  ending: Ending,
  {
    lost = [],
    suspects = [],
    supervisors = [],
  }: {
    lost?: readonly string[]
    suspects?: RecordedSuspect[]
    supervisors?: readonly RecordedSupervisor[]
  } = {},
): Promise<boolean> {
  const finished_at = new Date().toISOString()
  let isSamePlace = false
  const finish = (entry: AgentEntry): void => {
    isSamePlace = isDeepStrictEqual(entry.tmux, cleaned.tmux)
    if (!isSamePlace) return
    if (!isTerminal(entry.status)) applyEnding(entry, ending, finished_at)
    const record: CleanupRecord & { residue?: unknown } = recordOf(entry)
    delete record.problems
    // Earlier versions kept a list of files there. It is dropped, because any writer of the registry could add to it.
    delete record.residue
    delete record.suspects
    addLost(record, lost)
    setRestarts(record, supervisors)
    Object.assign(record, { state: 'done', finished_at, ...(suspects.length > 0 && { suspects }) })
    const { started_at } = entry
    if (started_at === undefined) delete record.started_at
    // Some programs count in nanoseconds, which are more digits than a number holds.
    else copyMember(typeof started_at === 'number' ? readSpelledAgent(ref) : entry, record, 'started_at')
  }
  await syncGlobal(ref, finish)
  await changeAgent(ref, finish)
  const isRecorded = isSamePlace
  // Another writer may have copied the earlier entry in between, or have restored the whole registry.
  await syncGlobal(ref, finish)
  return isRecorded
}

/** Records why a cleanup did not finish, for readers after the cleaner's end. */
export function recordProblems(
  ref: AgentRef,
  problems: string[],
  lost: readonly string[] = [],
  restarts?: { supervisors: readonly RecordedSupervisor[]; since?: string },
): Promise<void> {
  return updateAgent(ref, entry => {
    const record = recordOf(entry)
    addLost(record, lost)
    if (restarts) setRestarts(record, restarts.supervisors, restarts.since)
    record.problems = problems
  })
}

/** The record of an entry, to be changed in place: what other programs wrote there keeps its digits. */
function recordOf(entry: AgentEntry): CleanupRecord {
  const { cleanup } = entry
  const record = isJson(cleanup) ? cleanup : pendingNow(entry)
  entry.cleanup = record
  return record
}

/** Who starts the agent again, as the last cleanup found it. */
function setRestarts(
  record: CleanupRecord,
  supervisors: readonly RecordedSupervisor[],
  since?: string,
): void {
  delete record.supervisors
  delete record.restarted_since
  if (supervisors.length > 0) record.supervisors = [...supervisors]
  if (since !== undefined) record.restarted_since = since
}

/** What an earlier attempt has lost stays lost. */
function addLost(record: CleanupRecord, lost: readonly string[]): void {
  const all = [...new Set([...lostOf(record), ...lost])]
  if (all.length > 0) record.lost = all
}

/** What a record says is lost; another program may have written anything there. */
export const lostOf = (record: CleanupRecord | undefined): string[] =>
  Array.isArray(record?.lost) ? record.lost.filter(one => typeof one === 'string') : []

const pendingNow = (entry: AgentEntry): CleanupRecord => ({
  state: 'pending',
  since: new Date().toISOString(),
  reason: entry.reason ?? '',
})
