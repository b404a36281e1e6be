import path from 'node:path'
import { pid as ownPid } from 'node:process'
import { selfAndAncestors } from '../processes/ancestors.ts'
import { ageMs, commandOf, folderOf, hasEmptyEnvironment } from '../processes/details.ts'
import { sharesPids } from '../processes/namespaces.ts'
import { hasEnded } from '../processes/stat.ts'
import type { SeenProcess } from '../processes/table.ts'
import { isOlder } from './age.ts'
import type { Claims } from './evidence.ts'
import type { Scene } from './scene.ts'

/** A process that may be an agent's, but that nothing ties to it: reported, and left alone. */
export interface Unattributable {
  pid: number
  start: number
  comm: string
  command: string
  /** How long ago it started, in ms. */
  ageMs: number
  /** Why it looks as if, for people. */
  looks: string[]
}

/** Who takes orphans in, by the names that ps shows. It decides only what is reported. */
const ADOPTERS: ReadonlySet<string> = new Set(['systemd', 'init', 'tini', 'dumb-init', 'docker-init'])

/**
 * Orphans that started after the agent, carry no mark of any place, and look like something of its: what a daemon
 * with an emptied environment looks like where no containment holds it. Reads more of a process only when the table
 * says that it may be one, which few are.
 */
export function unattributable(scene: Scene, { claimed, spared }: Claims): Unattributable[] {
  const known = new Set([...claimed.keys(), ...spared.map(({ process }) => process.pid)])
  for (const { pid } of selfAndAncestors(scene.table, ownPid)) known.add(pid)
  const folders = workFolders(scene, claimed.keys())
  return [...scene.table.values()].flatMap(process => {
    if (known.has(process.pid) || !isOrphan(process, scene) || isOlder(scene, process) !== false) return []
    const { pid, start, comm } = process
    const looks = looksOf(process, scene.ref.agentId, folders)
    return looks.length === 0 || !sharesPids(pid)
      ? []
      : [{ pid, start, comm, command: commandOf(process), ageMs: ageMs(process), looks }]
  })
}

function isOrphan(process: SeenProcess, { table }: Scene): boolean {
  const { environment, kernel, pid, ppid } = process
  if (kernel || pid === 1 || hasEnded(process) || !environment.readable) return false
  if (environment.marker !== undefined || environment.tmux !== undefined) return false
  return ppid === 1 || ADOPTERS.has(table.get(ppid)?.comm ?? '')
}

function looksOf(process: SeenProcess, agentId: string, folders: ReadonlySet<string>): string[] {
  const looks: string[] = []
  if (hasEmptyEnvironment(process.pid)) looks.push('its environment was emptied')
  if (process.comm === 'claude') looks.push('it is named claude')
  if (mentions(commandOf(process), agentId)) looks.push('its arguments contain the agent’s id')
  const folder = folderOf(process.pid)
  if (folder !== undefined && folders.has(folder)) looks.push(`it works in ${folder}, as the agent does`)
  if (looks.length > 0) looks.unshift('an orphan that started after the agent')
  return looks
}

/** True when an id stands in a command line as a word, or as a part of a name that is built from it. */
export function mentions(command: string, agentId: string): boolean {
  return new RegExp(`(^|[^A-Za-z0-9-])${agentId}($|[^A-Za-z0-9-])`).test(command)
}

/** The folders that say something: where the agent's processes work, and where its files are. */
function workFolders(scene: Scene, pids: Iterable<number>): ReadonlySet<string> {
  const own = [...pids].flatMap(pid => folderOf(pid) ?? [])
  return new Set([...own, path.dirname(path.dirname(scene.log))].filter(folder => folder !== '/'))
}
