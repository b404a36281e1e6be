import { z } from 'zod'
import { fileClassSchema } from '../snapshot/snapshot.ts'

const number = z.int().nonnegative()

/** What the sandbox held at one moment. */
export const countsSchema = z
  .object({
    servers: number.describe('tmux servers.'),
    sessions: number.describe('tmux sessions, of all servers.'),
    panes: number.describe('Panes, of all sessions.'),
    claudes: number.describe('Processes named `claude` that have not ended.'),
    processes: number.describe('All processes, zombies too.'),
    zombies: number.describe('Processes that have ended and were not collected by their parents.'),
    descriptors: number.describe(
      'Descriptors that processes hold open, of every kind; /dev/null is not counted.',
    ),
    openFiles: number.describe('Those of them that are open on files of the sandbox.'),
    sockets: number.describe('Sockets that are listened on.'),
    ptys: number.describe('Pseudo-terminals.'),
    memory: number.describe(
      'Resident memory of all processes together, bytes. What processes share counts for each of them.',
    ),
    files: z.partialRecord(fileClassSchema, number).describe('Files of every class that there is.'),
  })
  .meta({ id: 'Counts' })

/** The counts of a scenario. */
export const countTableSchema = z.object({
  baseline: countsSchema,
  peak: countsSchema.describe('Each is the highest that any snapshot showed, not all in the same one.'),
  settled: countsSchema,
})
