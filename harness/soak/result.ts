import { z } from 'zod'
import { soakRoundSchema } from './round.ts'

const amount = z.number()
const number = z.int().nonnegative()

/** What a soak says about one resource. */
const resourceSlopeSchema = z
  .object({
    resource: z.string(),
    unit: z.enum(['count', 'bytes']),
    verdict: z
      .enum(['pass', 'leak', 'inconclusive', 'kept'])
      .describe('kept: it grows by policy, and is not judged.'),
    baseline: amount.describe('Before the first agent.'),
    warm: amount.describe('At the end of the warm-up.'),
    last: amount.describe('After the last round.'),
    perAgent: amount.describe('By how much it grows with each agent.').exactOptional(),
    lower: amount.describe('The interval that has the true slope in 95 of 100 soaks.').exactOptional(),
    upper: amount.exactOptional(),
    moreRounds: number
      .describe('About how many rounds more would show a leak, or exclude one.')
      .exactOptional(),
  })
  .meta({ id: 'ResourceSlope' })

export type ResourceSlope = z.infer<typeof resourceSlopeSchema>

/** What all resources together say. */
export const soakResultSchema = z
  .object({
    seed: number,
    agentsPerRound: number.describe('Deployed at once in each round.'),
    warmUp: number.describe('How many rounds at the beginning are left out of the slopes.'),
    rounds: z.array(soakRoundSchema).describe('The first is the baseline.'),
    slopes: z.array(resourceSlopeSchema),
    verdict: z.enum(['pass', 'leak', 'collateral', 'inconclusive']),
    oneIn: amount.describe(
      'The rarest leak that a soak of so many agents shows in 95 of 100 runs, as the number of agents for one.',
    ),
  })
  .meta({ id: 'SoakResult' })

export type SoakResult = z.infer<typeof soakResultSchema>
