import { z } from 'zod'
import { resourceKindSchema } from '../snapshot/snapshot.ts'
import { countsSchema } from './counts-schema.ts'
import { lastMomentMs, longestMs } from './longest.ts'

const moment = z.int().nonnegative().max(longestMs)
const pid = z.int().nonnegative()

const stepSchema = z.object({
  what: z.string(),
  agent: z.string().describe('The agent whose step it is.').exactOptional(),
  at: moment,
  ms: z
    .int()
    .max(longestMs)
    .describe('How long it took. Absent for a moment, and for a step that was not over at the end.')
    .exactOptional(),
})

const sampleSchema = z.object({ at: moment, counts: countsSchema })

const signalSchema = z
  .object({
    at: moment,
    signal: z.string().describe('Its name, such as SIGTERM.'),
    process: z.string().describe('The id of the process that it was sent to, as in `lives`.'),
    pid,
    comm: z.string().describe("The process's name, as the sender knew it."),
    by: z.string().describe('Who sent it, such as the daemon.').exactOptional(),
    cleaner: pid.describe("The sender's pid.").exactOptional(),
    agent: z.string().describe('The agent whose cleanup it was.').exactOptional(),
  })
  .meta({ id: 'Signal' })

const processLifeSchema = z.object({
  pid,
  ppid: pid.describe("Its parent's pid when it was seen first."),
  parents: z
    .array(z.object({ at: moment, ppid: pid }))
    .describe('The later ones, with the time at which they were seen first.')
    .exactOptional(),
  states: z
    .array(z.object({ at: moment, state: z.enum(['T', 'Z', 'runs']) }))
    .describe('When it was seen stopped (T), as a zombie (Z), or neither again.')
    .exactOptional(),
})

const lifeSchema = z
  .object({
    id: z.string(),
    kind: resourceKindSchema,
    what: z.string().describe('What it is called in reports.'),
    agent: z
      .string()
      .describe('The agent that it belongs to, as far as a snapshot shows it.')
      .exactOptional(),
    evidence: z.string().describe('Why it belongs to that agent.').exactOptional(),
    from: moment,
    to: moment.describe('Absent where the last snapshot still showed it.').exactOptional(),
    isBaseline: z
      .literal(true)
      .describe('It was there before the first agent, or joined the baseline afterwards.')
      .exactOptional(),
    process: processLifeSchema.describe('Only for a process.').exactOptional(),
  })
  .meta({ id: 'Life' })

/**
 * What happened in the sandbox of one scenario, as far as its snapshots show. All times are in ms since the rig began with it.
 * Something that came and went between two snapshots is not in it.
 */
export const timelineSchema = z
  .object({
    startedAt: z.number().nonnegative().max(lastMomentMs).describe('When the rig began, ms since the epoch.'),
    endedAt: moment.describe('The time of the last snapshot.'),
    steps: z.array(stepSchema).describe('What the scenario did, in the order in which it began.'),
    samples: z
      .array(sampleSchema)
      .describe('The counts, and when they changed: each sample holds until the next one.'),
    lives: z
      .array(lifeSchema)
      .describe('Every resource that a snapshot showed, in the order of their appearance.'),
    signals: z
      .array(signalSchema)
      .describe(
        'The signals that the system itself says to have sent to processes of agents, by time. Absent where it says nothing.',
      )
      .exactOptional(),
  })
  .meta({ id: 'Timeline' })

export type Timeline = z.infer<typeof timelineSchema>

/** A step of a scenario, such as a deploy or an ending. */
export type Step = z.infer<typeof stepSchema>

/** A signal that a cleanup sent, by its own account. */
export type Signal = z.infer<typeof signalSchema>

export type Sample = z.infer<typeof sampleSchema>

/** A resource from the first snapshot that showed it to the first that did not. */
export type Life = z.infer<typeof lifeSchema>

export type ProcessLife = z.infer<typeof processLifeSchema>
