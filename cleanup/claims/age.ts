import { ageMs } from '../platform/processes/details.ts'
import type { SeenProcess } from '../platform/processes/table.ts'
import { parseTimestamp } from '../registry/timestamps.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import type { Observation } from './observation.ts'

/** How long after its agent's beginning, in ms, an entry may be written that tells when that was. */
export const LATE_MS = 5 * 60_000

/**
 * True when a process was there before the agent was; undefined when nothing tells. Where only the registry tells when an
 * agent began, a process must be older by minutes.
 */
export function isOlder(
  { entry, table }: Pick<Observation, 'entry' | 'table'>,
  process: SeenProcess | undefined,
): boolean | undefined {
  if (!process) return undefined
  const recorded = recordedTmux(entry)
  const start = recorded?.pane_start ?? table.get(recorded?.pane_pid ?? 0)?.start
  if (start !== undefined && start > 0) return process.start < start
  const startedAt = parseTimestamp(entry.started_at).earliest
  return Number.isNaN(startedAt) ? undefined : Date.now() - ageMs(process) + LATE_MS < startedAt
}
