import type { z } from 'zod'
import type { FileClass, Resource } from '../snapshot/snapshot.ts'
import type { countsSchema, countTableSchema } from './counts-schema.ts'

export type Counts = z.infer<typeof countsSchema>
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
