import type { FileClass, Resource } from '../snapshot/snapshot.ts'
import { type Counts, count } from '../timeline/counts.ts'

/** What a soak is asked to do. Either limit ends it. */
export interface SoakPlan {
  /** The same seed draws the same agents in the same order. */
  seed: number
  /** How many are deployed at once, and ended, in each round. */
  agents: number
  rounds?: number
  /** No round begins after this time. */
  forMs?: number
}

/** What was there before the first agent, or after a round, when it had settled. */
export interface SoakRound {
  /** How many agents have ended until then. */
  agents: number
  /** How many ended in which way in this round. */
  endings: Partial<Record<string, number>>
  durationMs: number
  /** Without what a policy keeps. */
  counts: Counts
  /** Files that a policy keeps. */
  kept: Partial<Record<FileClass, number>>
  /** Resident memory, bytes: of the system's own processes, and of all tmux servers. */
  memory: { system: number; tmux: number }
  /** What this round has left, and earlier ones had not, in sentences. */
  leaks: string[]
  /** How much there is that is neither of the baseline nor kept, of this round and of earlier ones. */
  left: number
  /** What was there before the first agent and is not any more, in sentences. */
  collateral: string[]
}

/** What a round has left. `isOwn`: whether the system itself started a process, before its first agent. */
export function roundCounts(
  left: readonly Resource[],
  kept: readonly Resource[],
  isOwn: (one: Resource) => boolean,
): Pick<SoakRound, 'counts' | 'kept' | 'memory'> {
  const processes = left.filter(one => one.kind === 'process')
  const isTmux = ({ comm }: { comm: string }) => comm === 'tmux: server'
  const memory = (which: typeof processes) => which.reduce((sum, { rss }) => sum + rss, 0)
  return {
    counts: count(left),
    kept: count(kept).files,
    memory: {
      system: memory(processes.filter(one => isOwn(one) && !isTmux(one))),
      tmux: memory(processes.filter(isTmux)),
    },
  }
}
