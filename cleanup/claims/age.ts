import { ageMs } from '../platform/processes/details.ts'
import type { SeenProcess } from '../platform/processes/table.ts'
import { parseTimestamp } from '../registry/timestamps.ts'
import { isDeployedHere } from '../registry/world.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import type { Observation } from './observation.ts'

/** How long after an agent began, in ms, its entry's `started_at` may be. */
export const LATE_MS = 5 * 60_000

/**
 * True when a process is older than the agent; undefined when neither tmux nor the registry shows when the agent began.
 * By the registry alone, a process must be older by minutes.
 */
export function isOlder(
  { entry, table }: Pick<Observation, 'entry' | 'table'>,
  process: SeenProcess | undefined,
): boolean | undefined {
  if (!process) return undefined
  const recorded = isDeployedHere(entry) ? recordedTmux(entry) : undefined
  const start = recorded?.pane_start ?? table.get(recorded?.pane_pid ?? 0)?.start
  if (start !== undefined && start > 0) return process.start < start
  const startedAt = parseTimestamp(entry.started_at).earliest
  return Number.isNaN(startedAt) ? undefined : Date.now() - ageMs(process) + LATE_MS < startedAt
}
