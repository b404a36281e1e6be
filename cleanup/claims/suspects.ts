import path from 'node:path'
import { pid as ownPid } from 'node:process'
import { isOrphan, selfAndAncestors } from '../platform/processes/ancestry.ts'
import { ageMs, commandOf, folderOf, hasEmptyEnvironment } from '../platform/processes/details.ts'
import { sharesPids } from '../platform/processes/namespaces.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import type { SeenProcess } from '../platform/processes/table.ts'
import { namesAgent } from '../registry/marker.ts'
import { isOlder } from './age.ts'
import { isServicePart } from './background/service.ts'
import type { Claims } from './evidence.ts'
import type { Observation } from './observation.ts'
import { placeOf } from './place.ts'

/** A process that may be an agent's although nothing ties it to one: reported, and left alone. */
export interface Suspect {
  pid: number
  start: number
  comm: string
  command: string
  /** How long ago it started, in ms. */
  ageMs: number
  /** In which ways it resembles a process of the agent's, for people. */
  resemblances: string[]
}

/**
 * Finds orphans that started after the agent, carry no mark of any place, and resemble something of the agent's: that is
 * how a daemon with an emptied environment appears where no containment holds it. Reads more of a process only when the
 * table allows it to be a suspect, which is rare. A process that carries a mark of the agent which does not count as
 * evidence, because others can have been given it, is a suspect too.
 */
export function findSuspects(observation: Observation, { claimed, spared }: Claims): Suspect[] {
  const excluded = new Set([...claimed.keys(), ...spared.map(({ process }) => process.pid)])
  for (const { pid } of selfAndAncestors(observation.table, ownPid)) excluded.add(pid)
  const folders = workFolders(observation, claimed.keys())
  const marksOf = uncountedMarks(observation)
  const mayBeSuspect = (process: SeenProcess) =>
    isWithoutPlace(process, observation) && isOlder(observation, process) === false
  return [...observation.table.values()].flatMap(process => {
    if (excluded.has(process.pid) || process.kernel || hasEnded(process)) return []
    const { pid, start, comm } = process
    const marks = marksOf(process)
    const resemblances =
      marks.length === 0 && mayBeSuspect(process)
        ? resemblancesOf(process, observation.ref.agentId, folders)
        : marks
    return resemblances.length === 0 || !sharesPids(pid)
      ? []
      : [{ pid, start, comm, command: commandOf(process), ageMs: ageMs(process), resemblances }]
  })
}

function isWithoutPlace(process: SeenProcess, { table }: Observation): boolean {
  const { environment, pid } = process
  if (pid === 1 || !environment.readable) return false
  return environment.marker === undefined && environment.tmux === undefined && isOrphan(process, table)
}

/**
 * Marks that are not counted as evidence: the marker on a process that a shared tmux server has started, or a place that
 * only the registry names. A process in a living pane that is not the agent's does not count: it belongs to that pane.
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

function resemblancesOf(process: SeenProcess, agentId: string, folders: ReadonlySet<string>): string[] {
  const found: string[] = []
  const { isEmpty, command, folder } = detailsOf(process)
  if (isEmpty) found.push('its environment was emptied')
  if (process.comm === 'claude') found.push('it is named claude')
  if (mentions(command, agentId)) found.push('its arguments contain the agent’s id')
  if (folder !== undefined && folders.has(folder)) found.push(`it works in ${folder}, as the agent does`)
  if (found.length > 0) found.unshift('an orphan that started after the agent')
  return found
}

interface Details {
  isEmpty: boolean
  command: string
  folder: string | undefined
}

const detailsByProcess = new WeakMap<SeenProcess, Details>()

/** What the table does not hold of a process. All cleanups that share a table, which may be hundreds, read it once. */
function detailsOf(process: SeenProcess): Details {
  const details = detailsByProcess.get(process) ?? {
    isEmpty: hasEmptyEnvironment(process.pid),
    command: commandOf(process),
    folder: folderOf(process.pid),
  }
  detailsByProcess.set(process, details)
  return details
}

/** True when an id stands in a command line as a word, or as a part of a name that is built from it. */
export function mentions(command: string, agentId: string): boolean {
  // Most command lines do not contain it, and a search costs less than building an expression for each id.
  if (!command.includes(agentId)) return false
  return new RegExp(`(^|[^A-Za-z0-9-])${agentId}($|[^A-Za-z0-9-])`).test(command)
}

/** The folders that the agent's processes work in, and the task's folder; `/` distinguishes nothing. */
function workFolders(observation: Observation, pids: Iterable<number>): ReadonlySet<string> {
  // A background service of claude works in the user's home, and says nothing of where the agent does.
  const isService = (one?: SeenProcess) => one !== undefined && isServicePart(one, observation.table)
  const own = [...pids].flatMap(pid => (isService(observation.table.get(pid)) ? [] : (folderOf(pid) ?? [])))
  return new Set([...own, path.dirname(path.dirname(observation.log))].filter(folder => folder !== '/'))
}
