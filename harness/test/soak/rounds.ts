import type { SoakRound } from '../../soak/round.ts'
import { count } from '../../timeline/counts.ts'

/** Something that a round may have, in place of what it always has. */
export interface Held {
  sessions?: number
  prompts?: number
  archived?: number
  systemMemory?: number
  collateral?: string[]
  left?: number
}

/** The baseline and rounds of five agents each, in memory. `held`: what there is after that many agents. */
export function rounds(number: number, held: (agents: number) => Held = () => ({})): SoakRound[] {
  return Array.from({ length: number + 1 }, (_, round) => {
    const agents = 5 * round
    const {
      sessions = 1,
      prompts = 0,
      archived = 0,
      systemMemory = 100e6,
      collateral = [],
      left = prompts,
    } = held(agents)
    return {
      agents,
      endings: round === 0 ? {} : { killed: 5 },
      durationMs: 4_000,
      counts: {
        ...count([]),
        sessions,
        processes: 4,
        descriptors: 49,
        files: { registry: 2, ...(prompts && { prompt: prompts }) },
      },
      kept: { archive: archived },
      memory: { system: systemMemory, tmux: 4e6 },
      leaks: left > 0 ? [`prompt agent_prompt_${agents}.txt: the cleanup left it`] : [],
      left,
      collateral,
    }
  })
}
