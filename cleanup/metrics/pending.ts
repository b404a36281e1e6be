import type { AgentRow } from './measurement.ts'

/** How long the oldest pending cleanup has waited, in seconds; 0 when none is pending, or none says since when. */
export function oldestPendingSeconds(agents: readonly AgentRow[], nowMs: number): number {
  const since = agents.filter(isPendingRow).map(({ since }) => Date.parse(since ?? ''))
  return since.filter(Number.isFinite).reduce((oldest, ms) => Math.max(oldest, (nowMs - ms) / 1000), 0)
}

export const isPendingRow = ({ state }: AgentRow): boolean => state === 'pending'
