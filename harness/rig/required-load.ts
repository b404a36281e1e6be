import { type LoadItem, patternOf } from '../definition/system.ts'
import type { ReportedResources } from '../probe/owners.ts'
import type { Resource, Snapshot } from '../snapshot/snapshot.ts'
import type { Agent } from './agent.ts'

/** Something that a deployed agent consists of. It must have been seen, so that its absence afterwards means something. */
type Part = [name: string, matches: (one: Resource) => boolean]

const claude: Part = ['claude', one => one.kind === 'process' && one.comm === 'claude']
const session: Part = ['tmux session', one => one.kind === 'session']

function declared(item: LoadItem): Part {
  if ('process' in item) return [item.process, one => one.kind === 'process' && one.comm === item.process]
  if ('file' in item) return [`${item.file} file`, one => one.kind === 'file' && one.class === item.file]
  const isOpen = (one: Resource) =>
    one.kind === 'descriptor' && one.mode !== 'r' && patternOf(item.open).test(one.path)
  return [`open file like ${item.open.source}`, isOpen]
}

/** The parts of an agent that a snapshot does not show, by name. */
export function missingLoad({ id, rig }: Agent, { resources }: Snapshot): string[] {
  const { tmux, load, layout } = rig.definition
  const parts = [claude, ...(tmux === 'session' ? [session] : []), ...load.map(declared)]
  const own = resources.filter(one => one.owner?.agent === id)
  // A registry that nothing shows would be compared with nothing.
  const registries = layout.registries.filter(
    ({ name }) => !resources.some(one => one.kind === 'registry' && one.name === name),
  )
  return [
    ...parts.filter(([, matches]) => !own.some(matches)).map(([name]) => name),
    ...registries.map(({ name, path }) => `${name} registry (no file’s path matches /${path.source}/)`),
  ]
}

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
