import { claim } from '../claims/claim.ts'
import type { Claim } from '../claims/evidence.ts'
import type { Observation } from '../claims/observation.ts'
import { withTable } from '../claims/observe.ts'
import type { PipelineRole } from '../claims/pipeline-roles.ts'
import type { Log } from '../log.ts'
import { backend } from '../platform/processes/backend.ts'
import { newestPid } from '../platform/processes/new-pids.ts'
import { addNewest, readTableNow } from '../platform/processes/table.ts'
import { freeze, isFrozen, type ProcessSet, type TrackedProcess } from './process-set.ts'

/** How long it may take, in ms, until nothing of an agent moves any more. What still does is killed where it is met. */
const FREEZE_MS = 500

/**
 * Stops all that is left of an agent, until a look at the whole machine finds nothing of it that still runs. What
 * is stopped forks nothing: then all of it can be killed at once, and no supervisor is left that starts another,
 * and no successor of one that was killed a moment too late.
 *
 * A process may fork and exit between our look and our signal. Its successor is met by its number, which the kernel
 * gives in order, and is claimed like any other: a turn of this loop takes a fraction of a millisecond. It does
 * not wait for the event loop; in a turn of that, such a chain is many generations on.
 */
export function freezeAll(
  observation: Observation,
  tracked: ProcessSet,
  roleOf: (claim: Claim) => PipelineRole,
  log: Log,
): void {
  log({ event: 'freeze', agent: observation.ref.agentId })
  const deadline = performance.now() + FREEZE_MS
  let isWhole = true
  let since = newestPid()
  let table = readTableNow()
  while (performance.now() < deadline) {
    const claims = claim(withTable(observation, table), tracked.claims())
    const fresh = tracked.add(claims.claimed.values(), roleOf)
    const moving = tracked.alive().filter(member => mayBeStopped(member) && !isFrozen(member))
    moving.forEach(freeze)
    // Nothing moves, and nothing has turned up in a look that began when nothing moved.
    if (isWhole && fresh.length === 0 && moving.length === 0) return
    // The answer of ps is the same within one turn of the event loop, so there is no second look.
    if (backend !== 'proc') return
    isWhole = fresh.length === 0 && moving.length === 0
    since = isWhole ? newestPid() : addNewest(table, since)
    if (isWhole) table = readTableNow()
  }
}

/**
 * Readers are left to drain. A pane's process cannot be stopped: its tmux server continues it at once, and with it
 * its whole group (server_child_stopped in tmux 3.3a).
 */
function mayBeStopped({ role, claim, refused }: TrackedProcess): boolean {
  return role !== 'reader' && !refused && !claim.evidence.some(({ kind }) => kind === 'pane')
}
