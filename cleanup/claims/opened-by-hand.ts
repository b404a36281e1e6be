import { withDescendants } from '../platform/processes/ancestry.ts'
import { beganMs } from '../platform/processes/details.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { livingSuspects } from './leftovers/suspects.ts'
import type { ClosedWindows } from './observation.ts'
import { onServers } from './others-live-in.ts'

/**
 * Tells the processes that somebody may have started in a window that they had opened by hand where the agent lives, and that
 * has closed since. Such a window has all marks of the agent, its place in tmux included. With each such process count
 * whatever was started in the same window, whatever runs below it, and the suspects that an earlier cleanup has named: after
 * that, nothing shows any more who was attached.
 */
export function openedByHand({
  table,
  entry,
  closedWindows = [],
}: {
  table: ProcessTable
  entry: AgentEntry
  closedWindows?: readonly ClosedWindows[] | undefined
}): (process: SeenProcess) => boolean {
  const named = livingSuspects(entry, table).flatMap(({ pid }) => table.get(pid) ?? [])
  if (closedWindows.length + named.length === 0) return () => false
  const roots = [...table.values()].filter(process => {
    const began = beganMs(process)
    return closedWindows.some(
      ({ sinceMs, untilMs, holds }) => began >= sinceMs && began <= untilMs && holds(process),
    )
  })
  const windows = new Set(roots.map(windowOf))
  const later = roots.length > 0 ? [...table.values()].filter(one => windows.has(windowOf(one))) : []
  const found = onServers(table, [...withDescendants(table, [...later, ...named])])
  return process => found.has(process)
}

const windowOf = ({ environment: { tmux, pane, screen, window } }: SeenProcess): string =>
  [tmux, pane, screen, window].join('\n')
