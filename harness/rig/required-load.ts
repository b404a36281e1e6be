import type { ReportedResources } from '../probe/owners.ts'
import type { Resource, Snapshot } from '../snapshot/snapshot.ts'

/** What a deployed agent consists of. It must have been seen, so that its absence afterwards means something. */
const requiredLoad: [string, (one: Resource) => boolean][] = [
  ['tmux session', one => one.kind === 'session'],
  ['claude', one => one.kind === 'process' && one.comm === 'claude'],
  ['tee', one => one.kind === 'process' && one.comm === 'tee'],
  ['prompt file', one => one.kind === 'file' && one.class === 'prompt'],
  ['open log', one => one.kind === 'descriptor' && one.mode !== 'r' && one.path.endsWith('_stream.jsonl')],
]

/**
 * What an agent reported to have made and a snapshot does not show. Its session counts for a process, because one that
 * forks all the time may have been replaced by its child.
 */
export function missingReported({ pids, paths }: ReportedResources, { resources }: Snapshot): string[] {
  const processes = resources.filter(one => one.kind === 'process')
  const seen = new Set(processes.flatMap(({ pid, sid }) => [pid, sid]))
  const files = new Set(resources.flatMap(one => (one.kind === 'file' ? one.path : [])))
  const isSeen = (path: string) => files.has(path) || [...files].some(file => file.startsWith(`${path}/`))
  return [
    ...pids.filter(pid => !seen.has(pid)).map(pid => `process ${pid}`),
    ...paths.filter(path => !isSeen(path)),
  ]
}

/** The parts of an agent that a snapshot does not show, by name. */
export function missingLoad(agent: string, { resources }: Snapshot): string[] {
  const own = resources.filter(one => one.owner?.agent === agent)
  return requiredLoad.filter(([, matches]) => !own.some(matches)).map(([name]) => name)
}
