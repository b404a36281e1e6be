import { claim } from '../claims/claim.ts'
import { withTable } from '../claims/observe.ts'
import type { Log } from '../log.ts'
import { backend } from '../platform/processes/backend.ts'
import { newestPid } from '../platform/processes/new-pids.ts'
import { addNewest, readTableNow } from '../platform/processes/table.ts'
import { logSignal } from './log-signal.ts'
import type { PlannedCleanup } from './plan.ts'
import { freeze, isStill, type ProcessSet, type TrackedProcess } from './process-set.ts'

/** How long it may take, in ms, until nothing of an agent moves any more. What still does is killed as soon as a scan finds it. */
const FREEZE_MS = 500

/**
 * Stops all that is left of an agent, until a scan of the whole machine finds nothing of it that still runs. A stopped
 * process forks nothing: then all of them can be killed at once, and no supervisor is left that starts another, and no
 * successor of one that was killed a moment too late.
 *
 * A process may fork and exit between our scan and our signal. Its successor is found by its pid, which the kernel gives
 * in order, and is claimed like any other: a turn of this loop takes a fraction of a millisecond. It does not wait for
 * the event loop; in one turn of that, such a chain is many generations on.
 */
export function freezeAll({ observation, roleOf }: PlannedCleanup, tracked: ProcessSet, log: Log): void {
  log({ event: 'freeze', agent: observation.ref.agentId })
  const deadline = performance.now() + FREEZE_MS
  let isFullScan = true
  let since = newestPid()
  let table = readTableNow()
  // Logged at the end: to write takes time, in which a chain of forks goes on.
  const stopped = new Set<TrackedProcess>()
  using _ = {
    [Symbol.dispose]: () => {
      for (const one of stopped) if (one.isFrozen) logSignal(log, one, 'SIGSTOP', observation.ref.agentId)
    },
  }
  while (performance.now() < deadline) {
    const claims = claim(withTable(observation, table), tracked.claims())
    const fresh = tracked.add(claims.claimed.values(), roleOf, table)
    const moving = tracked.alive().filter(one => mayBeStopped(one) && !isStill(one))
    for (const one of moving) {
      freeze(one)
      stopped.add(one)
    }
    // Nothing moves, and a scan that began when nothing moved has found nothing new.
    if (isFullScan && fresh.length === 0 && moving.length === 0) {
      tracked.noteFrozen()
      return
    }
    // ps gives the same reply within one turn of the event loop, so a second scan would show nothing new.
    if (backend !== 'proc') return
    isFullScan = fresh.length === 0 && moving.length === 0
    since = isFullScan ? newestPid() : addNewest(table, since)
    if (isFullScan) table = readTableNow()
  }
}

/**
 * Log writers are left to drain. A pane's process cannot be stopped: its tmux server continues it at once, and with it
 * its whole group (server_child_stopped in tmux 3.3a).
 */
function mayBeStopped({ role, claim, refused }: TrackedProcess): boolean {
  return (
    role !== 'filter' &&
    role !== 'log-writer' &&
    !refused &&
    !claim.evidence.some(({ kind }) => kind === 'pane')
  )
}
