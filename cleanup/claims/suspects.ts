import path from 'node:path'
import { env, pid as ownPid } from 'node:process'
import { ownUid } from '../platform/files/trust.ts'
import { isOrphan, selfAndAncestors } from '../platform/processes/ancestry.ts'
import { channelOf } from '../platform/processes/channels.ts'
import { beganMs, commandOf, folderOf } from '../platform/processes/details.ts'
import { readEnvironmentText, readWholeEnvironment } from '../platform/processes/environment.ts'
import {
  type EnvironmentTrace,
  type KnownEnvironments,
  originOf,
} from '../platform/processes/environment-origin.ts'
import { namespaceDepth } from '../platform/processes/namespaces.ts'
import { isOpenForWriting, listDescriptors } from '../platform/processes/open-files.ts'
import {
  isPseudoTerminal,
  isService,
  isTransientUnit,
  isUnitOfSomebody,
  loginOf,
  unitOf,
} from '../platform/processes/origin.ts'
import { uidOf } from '../platform/processes/owner.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { type ProcessTable, readAlive, type SeenProcess } from '../platform/processes/table.ts'
import { isDone } from '../registry/lifecycle.ts'
import { namesAgent } from '../registry/marker.ts'
import { recordedTmux, tmuxVariable } from '../tmux/recorded.ts'
import { isOlder } from './age.ts'
import { type AgentOrigin, originOfAgent } from './agent-origin.ts'
import { type Claims, isTied, type Spared } from './evidence.ts'
import { livingSuspects } from './leftovers/suspects.ts'
import { writesOtherLogs } from './log-writers.ts'
import type { Observation } from './observation.ts'
import { jobsElsewhere } from './opened-elsewhere.ts'
import { placeOf } from './place.ts'
import { addRelatives, describeSuspect, mentions, type Suspect } from './suspect.ts'

/**
 * The rule: which processes are suspects. Every process that an agent left behind either has evidence, or is found here.
 *
 * - **A mark that is no evidence**, because others can have been given it too: the agent's marker or its session in TMUX, on a
 *   process that a shared tmux server or another user runs, or that others may have started (handed-on.ts).
 * - **Nobody's child.** It started while the agent lived; process 1, a subreaper or the agent's tmux server is its parent; it
 *   leads its own session, or the leader has ended; it is in no login, service or terminal of somebody else's. And its
 *   environment does not show that somebody else started it: it could not be read, was emptied or overwritten, lacks all that
 *   tells of an origin, or is that of something which a claude or a tmux pane started (environment-origin.ts). A process with a
 *   whole environment is suspected only if it is named claude, works in the folder of the agent's task, or has the agent's id
 *   in its arguments.
 * - **The pane of the log.** No place was recorded, the session was not found, and the agent's log is written from this pane:
 *   somebody has renamed the session or moved the window. Nothing else shows whose the pane is. The same goes for whatever was
 *   started in the session in which that pane was born, unless anything in it is older than the agent.
 * - **The log's pipe.** It is nobody's child, and writes into the pipe from which the agent's log is written.
 * - **Opened elsewhere.** It began while the agent lived and in the agent's folder, in a session that is not the agent's
 *   (opened-elsewhere.ts): a job of a tmux server, or a pane that nobody has looked at.
 * - **Whatever runs below a suspect**, or in a session that it opened.
 *
 * Of an agent whose cleanup is done, the suspects are those that its cleanup has named.
 *
 * More of a process is read only when the table allows it to be a suspect, which is rare. `before` is what was seen and claimed
 * before the agent was ended: by now, the writers of its log have, and so may have its tmux server.
 */
export function findSuspects(
  observation: Observation,
  { claimed, spared }: Claims,
  before: Before = beforeItsEnd(observation, { claimed, spared }),
): Suspect[] {
  const { table, entry } = observation
  if (isDone(entry)) return livingSuspects(entry, table)
  const unsure = (one: Spared) =>
    one.sparedFor === 'handed-on' || (one.sparedFor === 'other-user' && !isTied(one))
  const untied = new Map(spared.flatMap(one => (unsure(one) ? [[one.process.pid, one]] : [])))
  const excluded = new Set([...claimed.keys(), ...spared.map(({ process }) => process.pid)])
  for (const pid of untied.keys()) excluded.delete(pid)
  for (const { pid } of selfAndAncestors(table, ownPid)) excluded.add(pid)
  const isCandidate = (process: SeenProcess) =>
    !(process.pid === 1 || process.kernel || excluded.has(process.pid) || hasEnded(process))

  const found = new Map<SeenProcess, string[]>()
  const marksOf = uncountedMarks(observation)
  const traits = lackOfOrigin(observation, before)
  const elsewhere = jobsElsewhere(observation)
  const isMarked = namesAgent(observation.ref, observation.entry)
  const markedInside = ({ environment: { marker } }: SeenProcess) =>
    isMarked(marker)
      ? [`it carries the agent’s marker (LEAKRIG_AGENT=${marker}), in a pid namespace of its own`]
      : []
  const held = holdsPipe(table, before.origin)
  const isOfAnother = worksForAnother(observation)
  for (const process of table.values()) {
    if (!isCandidate(process)) continue
    const other = untied.get(process.pid)
    const marks = other ? [describeMarks(other)] : marksOf(process)
    const why =
      [marks, traits(process), elsewhere(process), held(process)].find(some => some.length > 0) ?? []
    const inside = process.ppid === 1 ? markedInside(process) : []
    if (why.length + inside.length === 0) continue
    const { depth, isRunning } = furtherOf(process)
    // Whoever made this one's pid namespace has ended; that of a container lives on as its parent.
    const isAlone = depth === 2 && process.ppid === 1
    const all = isAlone ? [...why, ...inside] : why
    if (all.length > 0 && (depth === 1 || isAlone) && isRunning && !isOfAnother(process))
      found.set(process, all)
  }
  for (const [{ pid, start }, why] of panesOfLog(before.observation, before.claims)) {
    const process = table.get(pid)
    if (process?.start === start && isCandidate(process)) found.set(process, why)
  }
  const births = birthplacesOfLog(before.observation, before.claims)
  for (const process of births.size > 0 ? table.values() : []) {
    const { tmux = '' } = process.environment
    if (births.has(tmux) && !found.has(process) && isCandidate(process))
      found.set(process, [
        `it was started in the session in which the agent’s log was written (TMUX=${tmux})`,
      ])
  }
  for (const { pid, start, why } of observation.unseenPanes ?? []) {
    const process = table.get(pid)
    if (process?.start === start && isCandidate(process))
      found.set(process, [...(found.get(process) ?? []), why])
  }
  addRelatives(found, table, isCandidate)
  return [...found].map(([process, resemblances]) => describeSuspect(process, resemblances))
}

/** What was seen of an agent before it was ended. */
export interface Before {
  observation: Observation
  claims: Claims
  origin: AgentOrigin
}

const beforeItsEnd = (observation: Observation, claims: Claims): Before => ({
  observation,
  claims,
  origin: originOfAgent(observation, claims),
})

function describeMarks({ process, sparedFor, evidence }: Spared): string {
  const marks = evidence.map(({ detail }) => detail).join(', ')
  return sparedFor === 'other-user'
    ? `it runs as user ${uidOf(process.pid)}: ${marks}`
    : `others may have started it: what they start where the agent lived is handed the same marks (${marks})`
}

/** True where only the log can show which pane is the agent's. */
const isUnplaced = ({ entry, location: { server, session } }: Observation): boolean =>
  server !== undefined && session === undefined && recordedTmux(entry) === undefined

const writersOfLog = ({ claimed, spared }: Claims): SeenProcess[] =>
  [...claimed.values(), ...spared.filter(({ sparedFor }) => sparedFor === 'fed')]
    .filter(({ evidence }) => evidence.some(({ kind }) => kind === 'log'))
    .map(({ process }) => process)

/** The values of TMUX that a writer of the log was started with, each of a session that began with the agent. */
function birthplacesOfLog(observation: Observation, claims: Claims): ReadonlySet<string> {
  if (!isUnplaced(observation)) return new Set()
  const births = new Set(writersOfLog(claims).flatMap(({ environment: { tmux } }) => tmux ?? []))
  for (const process of observation.table.values())
    if (isOlder(observation, process) !== false) births.delete(process.environment.tmux ?? '')
  return births
}

function panesOfLog(observation: Observation, claims: Claims): [SeenProcess, string[]][] {
  if (!isUnplaced(observation)) return []
  const { table, location } = observation
  return writersOfLog(claims).flatMap(({ pid, comm }) =>
    selfAndAncestors(table, pid)
      .filter(({ ppid }) => ppid === location.server?.pid)
      .map((pane): [SeenProcess, string[]] => [pane, [`${comm} ${pid} below it writes the agent’s log`]]),
  )
}

/**
 * Marks that are not counted as evidence: the marker on a process that a shared tmux server has started, a place that only
 * the registry names, or a job that the server has run for the agent's session (`run-shell`, hooks), whoever asked for it. A
 * process in a living pane that is not the agent's does not count: it belongs to that pane.
 */
function uncountedMarks(observation: Observation): (process: SeenProcess) => string[] {
  const isMarked = namesAgent(observation.ref, observation.entry)
  const { isElsewhere, gone } = placeOf(observation)
  const { server, session, socket, listed } = observation.location
  const own = server && session && tmuxVariable(socket, server.pid, session.id)
  return ({ environment }) => {
    const { marker, tmux, pane } = environment
    if (tmux === undefined || (isElsewhere(environment) && listed.panes.has(pane ?? ''))) return []
    if (pane === undefined && (tmux === own || tmux === gone))
      return [`the agent’s tmux server has run it for the agent’s session, as run-shell does (TMUX=${tmux})`]
    if (isMarked(marker))
      return [
        `it carries the agent’s marker, but a tmux server that others use too has started it (TMUX=${tmux})`,
      ]
    return tmux === gone
      ? [`it was started in the session that was recorded for the agent (TMUX=${tmux})`]
      : []
  }
}

interface Further {
  /** How many pid namespaces it is in: a sandbox's processes are not named. */
  depth: number | undefined
  /** False for one that was ending when it was seen: its environment was empty then, or could not be read. */
  isRunning: boolean
}

const furtherByProcess = new WeakMap<SeenProcess, Further>()

/** All cleanups that share a table read it once. */
function furtherOf(process: SeenProcess): Further {
  const further = furtherByProcess.get(process) ?? {
    depth: namespaceDepth(process.pid),
    isRunning: readAlive(process)?.exiting === false,
  }
  furtherByProcess.set(process, further)
  return further
}

/** True for what writes the stream log of another agent, and for the job below which that is written (`pipe-pane`). */
function worksForAnother({ table, openFiles, log }: Observation): (process: SeenProcess) => boolean {
  return process =>
    writesOtherLogs(openFiles, log, process.pid) ||
    [...table.values()].some(({ ppid, pid }) => ppid === process.pid && writesOtherLogs(openFiles, log, pid))
}

/** Returns why a process without any mark may be the agent's; an empty list when it is not. */
function lackOfOrigin(
  observation: Observation,
  { claims: { claimed }, origin }: Before,
): (process: SeenProcess) => string[] {
  const { table, location } = observation
  const server = table.get(location.server?.pid ?? -1)
  const nobodys = nobodysChildren(table)
  const known = { panes: origin.panes, server: origin.server, others: othersIn(table) }
  const isOlderThanAgent = (process: SeenProcess): boolean | undefined =>
    isOlder(observation, process) ??
    (origin.beganMs === undefined ? undefined : beganMs(process) < origin.beganMs)
  /** True for a living claude that somebody else has started. The agent's may be an orphan that nothing ties to it. */
  const isOthersClaude = (pid: number, its: SeenProcess): boolean => {
    const claude = table.get(pid)
    return (
      claude !== undefined &&
      claude.start <= its.start &&
      !hasEnded(claude) &&
      !claimed.has(pid) &&
      !nobodys.has(claude)
    )
  }

  return process => {
    if (process.environment.marker !== undefined || process.environment.tmux) return []
    // Whoever opened the agent's session may have started its server by that: the server has the agent's name in its arguments.
    if (process === server) return []
    const isJob = process.ppid === server?.pid && process.tty === 0
    const isAdopted = nobodys.has(process) || (process.ppid === origin.adopter && process !== server)
    if (!(isJob || isAdopted) || isOlderThanAgent(process) !== false) return []
    if (process.tty !== 0 && !isPseudoTerminal(process.tty)) return []
    const leader = table.get(process.sid)
    if (leader && leader !== process && leader !== server && !hasEnded(leader)) return []
    const details = detailsOf(process)
    if (isInPlaceOfSomebody(details, origin)) return []
    const trace = traceOf(details, known)
    const isTransient = isTransientUnit(details.unit)
    const isElsewhere =
      trace.kind === 'elsewhere' || (trace.kind === 'claude' && isOthersClaude(trace.claude, process))
    if (isElsewhere && !isJob && !isTransient) return []
    const reasons = [
      ...(isJob ? ['the agent’s tmux server has started it outside of a pane, as pipe-pane does'] : []),
      ...(isTransient ? [`it is in the unit ${details.unit}, which systemd-run makes`] : []),
      ...reasonsOf(trace),
      ...resemblancesOf(process, details, observation),
    ]
    if (reasons.length === 0) return []
    if (details.uid !== undefined && details.uid !== ownUid()) reasons.push(`it runs as user ${details.uid}`)
    return isJob ? reasons : ['an orphan that started after the agent', ...reasons]
  }
}

/** Returns why an orphan may be the agent's by its open files. Its own pipeline has other evidence. */
function holdsPipe(table: ProcessTable, { pipes }: AgentOrigin): (process: SeenProcess) => string[] {
  if (pipes.size === 0) return () => []
  const nobodys = nobodysChildren(table)
  return process => {
    const descriptors = nobodys.has(process) ? listDescriptors(process.pid) : []
    const isHeld = descriptors.some(one => pipes.has(channelOf(one) ?? '') && isOpenForWriting(one))
    return isHeld ? ['an orphan that writes into the pipe from which the agent’s log is written'] : []
  }
}

/** True for a process in a login or a unit of somebody's that none of the agent's processes was in. */
function isInPlaceOfSomebody({ unit, login }: Details, { units, logins }: AgentOrigin): boolean {
  if (login !== undefined && logins.size > 0 && !logins.has(login)) return true
  if (unit === undefined || isTransientUnit(unit) || units.has(unit)) return false
  // Where nothing of the agent was alive to show its login, it may have been this one.
  return isService(unit) || (units.size > 0 && isUnitOfSomebody(unit))
}

/** By the environment of the tmux server: many agents of one server have no pane any more that would tell more. */
const traces = new WeakMap<Details, Map<unknown, EnvironmentTrace>>()

function traceOf(details: Details, known: KnownEnvironments): EnvironmentTrace {
  const { environment } = details
  if (environment === 'unreadable') return { kind: 'unreadable' }
  if (environment === 'gone') return { kind: 'elsewhere' }
  if (known.panes.length > 0) return originOf(environment.text, known)
  const byServer = traces.get(details) ?? new Map<unknown, EnvironmentTrace>()
  const [server] = known.server
  const trace = byServer.get(server) ?? originOf(environment.text, known)
  traces.set(details, byServer.set(server, trace))
  return trace
}

/** How many names of variables a reason holds. */
const MOST_NAMES = 12

function reasonsOf(trace: EnvironmentTrace): string[] {
  switch (trace.kind) {
    case 'unreadable':
      return ['its environment cannot be read']
    case 'emptied':
      return ['its environment was emptied']
    case 'overwritten':
      return ['its environment was overwritten']
    case 'untold': {
      const shown = trace.names.slice(0, MOST_NAMES)
      const more = trace.names.length - shown.length
      return [`its environment holds no more than ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`]
    }
    case 'claude':
      return [`a claude started it (${trace.name})`]
    case 'pane':
      return ['it was started in a tmux pane (TERM_PROGRAM=tmux), and TMUX was removed']
    case 'elsewhere':
    case 'whole':
      return []
  }
}

/** What makes a process with a whole environment a suspect, too. */
function resemblancesOf(
  process: SeenProcess,
  { command, folder }: Details,
  { ref, log }: Observation,
): string[] {
  const found: string[] = []
  if (process.comm === 'claude') found.push('it is named claude')
  if (mentions(command, ref.agentId)) found.push('its arguments contain the agent’s id')
  if (folder === path.dirname(path.dirname(log))) found.push('it works in the folder of the agent’s task')
  return found
}

interface Details {
  environment: ReturnType<typeof readEnvironmentText>
  command: string
  folder: string | undefined
  unit: string | undefined
  login: string | undefined
  uid: number | undefined
}

const detailsByProcess = new WeakMap<SeenProcess, Details>()

/** What the table does not hold of a process. All cleanups that share a table, which may be hundreds, read it once. */
function detailsOf(process: SeenProcess): Details {
  const { pid } = process
  const details = detailsByProcess.get(process) ?? {
    environment: readEnvironmentText(pid),
    command: commandOf(process),
    folder: folderOf(pid),
    unit: unitOf(pid),
    login: loginOf(pid),
    uid: uidOf(pid),
  }
  detailsByProcess.set(process, details)
  return details
}

const othersByTable = new WeakMap<ProcessTable, KnownEnvironments['others']>()

/** The environments of process 1 and of this program. */
function othersIn(table: ProcessTable): KnownEnvironments['others'] {
  const others = othersByTable.get(table) ?? [
    ...[readWholeEnvironment(1) ?? []].flat(),
    new Map(Object.entries(env).map(([name, value = '']) => [name, value])),
  ]
  othersByTable.set(table, others)
  return others
}

const nobodysByTable = new WeakMap<ProcessTable, ReadonlySet<SeenProcess>>()

/** The orphans without a mark: few of a machine's processes, and the same for all agents. */
function nobodysChildren(table: ProcessTable): ReadonlySet<SeenProcess> {
  const found =
    nobodysByTable.get(table) ??
    new Set([...table.values()].filter(process => !process.kernel && isOrphan(process, table)))
  nobodysByTable.set(table, found)
  return found
}
