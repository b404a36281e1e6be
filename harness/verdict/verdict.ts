import { z } from 'zod'
import { ignoredSchema, ownerSchema, resourceKindSchema } from '../snapshot/snapshot.ts'
import { countTableSchema } from '../timeline/counts-schema.ts'
import { longestMs } from '../timeline/longest.ts'
import { type Mechanism, mechanisms } from './mechanisms.ts'

export const mechanismSchema = z.enum(Object.keys(mechanisms) as Mechanism[])

/**
 * One resource that should not be there (leak), or that should be there and is not (collateral). Lost lines of a log count as
 * a leak: what should have come back did not.
 */
const findingSchema = z
  .object({
    verdict: z.enum(['leak', 'collateral']),
    kind: z.enum([...resourceKindSchema.options, 'line']),
    id: z.string().describe('The same for as long as the resource lives.'),
    what: z.string().describe('A description of the resource.'),
    owner: ownerSchema.exactOptional(),
    pid: z
      .int()
      .describe('A process itself; of a pane, a descriptor and a tmux server the process that it belongs to.')
      .exactOptional(),
    ppid: z.int().describe('The parent of a process.').exactOptional(),
    mechanism: mechanismSchema.describe('Why it is still there, or how it was lost, by a name that stays.'),
    why: z.string().describe('The same in a sentence.'),
    command: z.string().describe('A command that shows it, inside the sandbox.'),
    outlivedMs: z
      .number()
      .max(longestMs)
      .describe('How long after the beginning of the last ending it was still seen, ms.'),
  })
  .meta({ id: 'Finding' })

export type Finding = z.infer<typeof findingSchema>

export const verdictSchema = z
  .object({
    result: z.enum(['pass', 'leak', 'collateral']),
    counts: countTableSchema.describe(
      'What there was at the baseline, at the most, and when it had settled.',
    ),
    leaks: z.array(findingSchema),
    collateral: z.array(findingSchema),
    msToBaseline: z
      .number()
      .max(longestMs)
      .describe(
        'From the last ending until the first of the snapshots that are at the baseline, ms; absent on a leak.',
      )
      .exactOptional(),
    kept: z.array(ignoredSchema).describe('What is new and may stay, with the policy that allows it.'),
    ignored: z.array(ignoredSchema).describe('What the snapshots left out.'),
    notes: z.array(z.string()).describe('What was seen and does not count, in sentences.'),
  })
  .meta({ id: 'Verdict' })

export type Verdict = z.infer<typeof verdictSchema>
