import { z } from 'zod'
import { fileClassSchema, type Resource } from '../snapshot/snapshot.ts'
import { count } from '../timeline/counts.ts'
import { countsSchema } from '../timeline/counts-schema.ts'
import { longestMs } from '../timeline/longest.ts'

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

const number = z.int().nonnegative()
const sentences = z.array(z.string())

/** What was there before the first agent, or after a round, when it had settled. */
export const soakRoundSchema = z
  .object({
    agents: number.describe('How many agents have ended until then.'),
    endings: z.record(z.string(), number).describe('How many ended in which way in this round.'),
    durationMs: number.max(longestMs),
    counts: countsSchema.describe('Without what a policy keeps.'),
    kept: z.partialRecord(fileClassSchema, number).describe('Files that a policy keeps.'),
    memory: z
      .object({ system: number, tmux: number })
      .describe("Resident memory, bytes: of the system's own processes, and of all tmux servers."),
    leaks: sentences.describe('What this round has left, and earlier ones had not.'),
    left: number.describe('How much is neither of the baseline nor kept, of this round and of earlier ones.'),
    collateral: sentences.describe('What was there before the first agent and is not any more.'),
  })
  .meta({ id: 'SoakRound' })

export type SoakRound = z.infer<typeof soakRoundSchema>

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
