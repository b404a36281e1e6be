import { z } from 'zod'
import { mechanismSchema } from '../verdict/verdict.ts'

const text = z.string().trim().min(1, 'expected some text, and found none')

/** What is known to be left after a scenario, and may be left until a day: an entry of `leakrig.known.json`. */
export const knownLeakSchema = z
  .strictObject({
    system: text,
    scenario: text.describe('The name of the scenario, or of the cell.'),
    mechanism: z
      .enum([...mechanismSchema.options, 'expectation'])
      .describe('The mechanism of the findings; `expectation` for an expectation that is not met.'),
    count: z.int().positive().describe('How many findings there may be at most.'),
    sometimes: z
      .literal(true)
      .describe('Only some runs find it: where none is found, it is not taken for fixed.')
      .exactOptional(),
    reason: text.describe('Why it may stay, for people: the issue, the plan.'),
    expires: z.iso
      .date('expected a day such as "2027-01-31"')
      .describe('The last day on which it counts as known, YYYY-MM-DD in UTC.'),
  })
  .meta({ id: 'KnownLeak' })

export type KnownLeak = z.infer<typeof knownLeakSchema>

export type KnownMechanism = KnownLeak['mechanism']

/** The whole of a `leakrig.known.json`. */
export const knownFileSchema = z.strictObject({
  $schema: z.string().describe('For editors: the address or path of this schema.').exactOptional(),
  known: z.array(knownLeakSchema),
})
