import type { Resource, Snapshot } from '../snapshot/snapshot.ts'

/** What a deployed agent must have been seen with, so that its absence afterwards means something. */
const load: [string, (one: Resource) => boolean][] = [
  ['tmux session', one => one.kind === 'session'],
  ['claude', one => one.kind === 'process' && one.comm === 'claude'],
  ['tee', one => one.kind === 'process' && one.comm === 'tee'],
  ['prompt file', one => one.kind === 'file' && one.class === 'prompt'],
  ['open log', one => one.kind === 'descriptor' && one.mode !== 'r' && one.path.endsWith('_stream.jsonl')],
]

/** The parts of the load that a snapshot does not show, by name. */
export function loadMissing(agent: string, { resources }: Snapshot): string[] {
  const own = resources.filter(one => one.owner?.agent === agent)
  return load.filter(([, matches]) => !own.some(matches)).map(([name]) => name)
}
