import fs from 'node:fs'
import { within } from '../platform/files/within.ts'
import { beganMs } from '../platform/processes/details.ts'
import type { SeenProcess } from '../platform/processes/table.ts'
import { workspaceOfLog } from '../registry/layout.ts'
import { parseTimestamp } from '../registry/timestamps.ts'
import { isDeployedHere } from '../registry/world.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import type { Observation } from './observation.ts'

/** How long after an agent began, in ms, its entry's `started_at` may be. */
export const LATE_MS = 5 * 60_000

/** How long after an agent, in ms, what its orchestrator starts for it besides its pane begins. */
const WITH_MS = 10_000

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
  return Number.isNaN(startedAt) ? undefined : beganMs(process) + LATE_MS < startedAt
}

/** True when a process began within seconds of the agent's pane or session. */
export function beganWith(
  { entry, location, table }: Pick<Observation, 'entry' | 'location' | 'table'>,
  process: SeenProcess,
): boolean {
  const recorded = isDeployedHere(entry) ? recordedTmux(entry) : undefined
  const start = recorded?.pane_start ?? table.get(recorded?.pane_pid ?? 0)?.start
  const began = beganMs(process)
  const agentBegan =
    start !== undefined && start > 0 ? beganMs({ start }) : (location.session?.created ?? Number.NaN) * 1_000
  return Math.abs(began - agentBegan) < WITH_MS
}

/** How long after its log, in ms, an agent's session and log-writer may begin: its orchestrator may have made the file. */
const WRITER_MS = 2_000

/** How long before its log, in ms, an agent and what it starts may begin: `tee` makes the file while claude is already at work. */
const BEFORE_LOG_MS = 2_000

/** The earliest time at which what an agent's log belongs to can have begun, in ms since 1970; undefined without a log. */
export function earliestByLog(log: string): number | undefined {
  const birth = birthOf(log)
  return birth === undefined ? undefined : birth - BEFORE_LOG_MS
}

/** True when a process began later than the log, so it is not the one that the log was begun with. */
export function beganAfterLog({ log }: Pick<Observation, 'log'>, process: SeenProcess): boolean {
  const birth = birthOf(log)
  return birth !== undefined && beganMs(process) > birth + WRITER_MS
}

/** True when a session was opened later than the log of this run of the agent was begun. The log may be an earlier run's. */
export function openedAfterLog({
  entry,
  log,
  location,
}: Pick<Observation, 'entry' | 'log' | 'location'>): boolean {
  const birth = birthOf(log) ?? Number.NaN
  const isOfThisRun = birth > parseTimestamp(entry.started_at).earliest - WRITER_MS
  return isOfThisRun && (location.session?.created ?? Number.NaN) * 1_000 > birth + WRITER_MS
}

/** When a log's inode was made, in ms since 1970. Nothing can date that back. */
export function birthOf(log: string): number | undefined {
  try {
    const stat = within(workspaceOfLog(log), log, at => fs.lstatSync(at))
    return stat.isFile() ? stat.birthtimeMs || stat.ctimeMs : undefined
  } catch {
    return undefined
  }
}
