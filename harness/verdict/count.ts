import type { ResourceKind, Snapshot } from '../snapshot/snapshot.ts'
import type { Counts } from './verdict.ts'

const none: Counts = {
  server: 0,
  session: 0,
  pane: 0,
  process: 0,
  descriptor: 0,
  pty: 0,
  socket: 0,
  file: 0,
  registry: 0,
}

export function count(snapshot: Snapshot): Counts {
  const counts: Record<ResourceKind, number> = { ...none }
  for (const { kind } of snapshot.resources) counts[kind] += 1
  return counts
}
