import path from 'node:path'
import { pid as ownPid } from 'node:process'
import { isOrphan, selfAndAncestors } from '../platform/processes/ancestry.ts'
import { ageMs, commandOf, folderOf, hasEmptyEnvironment } from '../platform/processes/details.ts'
import { sharesPids } from '../platform/processes/namespaces.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import type { SeenProcess } from '../platform/processes/table.ts'
import { namesAgent } from '../registry/marker.ts'
import { isOlder } from './age.ts'
import type { Claims } from './evidence.ts'
import type { Observation } from './observation.ts'
import { placeOf } from './place.ts'

/** A process that may be an agent's, but that nothing ties to it: reported, and left alone. */
export interface Suspect {
  pid: number
  start: number
  comm: string
  command: string
  /** How long ago it started, in ms. */
  ageMs: number
  /** Why it looks as if, for people. */
  looks: string[]
}

/**
 * Orphans that started after the agent, carry no mark of any place, and look like something of its: what a daemon
 * with an emptied environment looks like where no containment holds it. Reads more of a process only when the table
 * says that it may be one, which few are. And whatever bears a mark of the agent that does not count, because others can
 * have been given it.
 */
export function findSuspects(observation: Observation, { claimed, spared }: Claims): Suspect[] {
  const known = new Set([...claimed.keys(), ...spared.map(({ process }) => process.pid)])
  for (const { pid } of selfAndAncestors(observation.table, ownPid)) known.add(pid)
  const folders = workFolders(observation, claimed.keys())
  const marksOf = uncountedMarks(observation)
  const isSuspect = (process: SeenProcess) =>
    isWithoutPlace(process, observation) && isOlder(observation, process) === false
  return [...observation.table.values()].flatMap(process => {
    if (known.has(process.pid) || process.kernel || hasEnded(process)) return []
    const { pid, start, comm } = process
    const marks = marksOf(process)
    const looks =
      marks.length > 0 ? marks : isSuspect(process) ? looksOf(process, observation.ref.agentId, folders) : []
    return looks.length === 0 || !sharesPids(pid)
      ? []
      : [{ pid, start, comm, command: commandOf(process), ageMs: ageMs(process), looks }]
  })
}

function isWithoutPlace(process: SeenProcess, { table }: Observation): boolean {
  const { environment, pid } = process
  if (pid === 1 || !environment.readable) return false
  return environment.marker === undefined && environment.tmux === undefined && isOrphan(process, table)
}

/**
 * Marks by which nothing was claimed: the marker on what a shared tmux server has started, or a place that only the
 * registry knows. What runs in a living pane that is not the agent's is no suspect: it is whose that pane is.
 */
function uncountedMarks(observation: Observation): (process: SeenProcess) => string[] {
  const isMarked = namesAgent(observation.ref)
  const { isElsewhere, gone } = placeOf(observation)
  const { panes } = observation.location.listed
  return ({ environment }) => {
    const { marker, tmux, pane = '' } = environment
    if (tmux === undefined || (isElsewhere(environment) && panes.has(pane))) return []
    if (isMarked(marker))
      return [
        `it carries the agent’s marker, but a tmux server that others use too has started it (TMUX=${tmux})`,
      ]
    return tmux === gone
      ? [`it was started in the session that was recorded for the agent (TMUX=${tmux})`]
      : []
  }
}

function looksOf(process: SeenProcess, agentId: string, folders: ReadonlySet<string>): string[] {
  const looks: string[] = []
  const { isEmpty, command, folder } = moreOf(process)
  if (isEmpty) looks.push('its environment was emptied')
  if (process.comm === 'claude') looks.push('it is named claude')
  if (mentions(command, agentId)) looks.push('its arguments contain the agent’s id')
  if (folder !== undefined && folders.has(folder)) looks.push(`it works in ${folder}, as the agent does`)
  if (looks.length > 0) looks.unshift('an orphan that started after the agent')
  return looks
}

interface More {
  isEmpty: boolean
  command: string
  folder: string | undefined
}

const known = new WeakMap<SeenProcess, More>()

/** What one look has not read of a process. All who share that look, which may be hundreds of cleanings, read it once. */
function moreOf(process: SeenProcess): More {
  const more = known.get(process) ?? {
    isEmpty: hasEmptyEnvironment(process.pid),
    command: commandOf(process),
    folder: folderOf(process.pid),
  }
  known.set(process, more)
  return more
}

/** True when an id stands in a command line as a word, or as a part of a name that is built from it. */
export function mentions(command: string, agentId: string): boolean {
  // Most say nothing of it at all, and to make an expression of each id costs more than to search for it.
  if (!command.includes(agentId)) return false
  return new RegExp(`(^|[^A-Za-z0-9-])${agentId}($|[^A-Za-z0-9-])`).test(command)
}

/** The folders that say something: where the agent's processes work, and where its files are. */
function workFolders(observation: Observation, pids: Iterable<number>): ReadonlySet<string> {
  const own = [...pids].flatMap(pid => folderOf(pid) ?? [])
  return new Set([...own, path.dirname(path.dirname(observation.log))].filter(folder => folder !== '/'))
}
