import { ageMs } from '../processes/details.ts'
import type { SeenProcess } from '../processes/table.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { toldTime } from '../workspace/told-time.ts'
import type { Scene } from './scene.ts'

/** An identity may be no finer than a second. */
const SECOND_MS = 1_000

/** True when a process was there before the agent was; undefined when nothing tells. */
export function isOlder(
  { entry, table }: Pick<Scene, 'entry' | 'table'>,
  process: SeenProcess | undefined,
): boolean | undefined {
  if (!process) return undefined
  const recorded = recordedTmux(entry)
  const start = recorded?.pane_start ?? table.get(recorded?.pane_pid ?? 0)?.start
  if (start !== undefined && start > 0) return process.start < start
  const startedAt = toldTime(entry.started_at).earliest
  return Number.isNaN(startedAt) ? undefined : Date.now() - ageMs(process) + SECOND_MS < startedAt
}
