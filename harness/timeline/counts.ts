import { z } from 'zod'
import { type FileClass, fileClassSchema, type Resource } from '../snapshot/snapshot.ts'

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

export type Counts = z.infer<typeof countsSchema>

/** The counts of a scenario. */
export const countTableSchema = z.object({
  baseline: countsSchema,
  peak: countsSchema.describe('Each is the highest that any snapshot showed, not all in the same one.'),
  settled: countsSchema,
})

export type CountTable = z.infer<typeof countTableSchema>

/** Counts what a snapshot shows. */
export function count(resources: readonly Resource[]): Counts {
  const counts: Counts = { ...none, files: {} }
  for (const one of resources) add(counts, one)
  return counts
}

/** Of each count the higher one. */
export function highest(one: Counts, other: Counts): Counts {
  const { files: classes, ...numbers } = one
  const files = { ...classes }
  for (const [name, number] of Object.entries(other.files) as [FileClass, number][])
    files[name] = Math.max(files[name] ?? 0, number)
  const names = Object.keys(numbers) as (keyof typeof numbers)[]
  const higher = names.map(name => [name, Math.max(one[name], other[name])])
  return { ...(Object.fromEntries(higher) as typeof numbers), files }
}

/** Files of all classes together. */
export function filesIn({ files }: Counts): number {
  return Object.values(files).reduce((sum, number) => sum + number, 0)
}

const none: Omit<Counts, 'files'> = {
  servers: 0,
  sessions: 0,
  panes: 0,
  claudes: 0,
  processes: 0,
  zombies: 0,
  descriptors: 0,
  openFiles: 0,
  sockets: 0,
  ptys: 0,
  memory: 0,
}

const names = {
  server: 'servers',
  session: 'sessions',
  pane: 'panes',
  process: 'processes',
  descriptor: 'openFiles',
  socket: 'sockets',
  pty: 'ptys',
} as const

function add(counts: Counts, one: Resource): void {
  if (one.kind === 'registry') return
  if (one.kind === 'file') {
    counts.files[one.class] = (counts.files[one.class] ?? 0) + 1
    return
  }
  counts[names[one.kind]] += 1
  if (one.kind !== 'process') return
  counts.descriptors += one.descriptors
  counts.memory += one.rss
  if (one.state === 'Z') counts.zombies += 1
  else if (one.comm === 'claude') counts.claudes += 1
}
