import { isOrphan, selfAndAncestors } from '../platform/processes/ancestry.ts'
import { outputOf, pipeInto } from '../platform/processes/channels.ts'
import { isOfAnotherLogin } from '../platform/processes/environment-origin.ts'
import { isUnitOfSomebody, loginOf, unitOf } from '../platform/processes/origin.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import { isDeployedHere } from '../registry/world.ts'
import { isTmuxServer } from '../tmux/is-server.ts'
import { tmuxVariable } from '../tmux/recorded.ts'
import { beganAfterLog, beganWith, isOlder } from './age.ts'
import type { SparedFor } from './evidence.ts'
import { writesOtherLogs } from './log-writers.ts'
import type { Observation } from './observation.ts'
import { serverOf } from './others-live-in.ts'
import { placeOf } from './place.ts'

/**
 * Tells why a process is spared that only the agent's log ties to it: anybody may write that file, such as an orchestrator,
 * a log collector, or a person in an editor. Undefined when the log makes it the agent's. `claimed`: what has better evidence.
 */
export function spareLogHolder(
  observation: Observation,
  process: SeenProcess,
  claimed: ReadonlyMap<number, unknown>,
): SparedFor | undefined {
  if (writesOtherLogs(observation.openFiles, observation.log, process.pid)) return 'several-agents'
  if (isOlder(observation, process)) return 'older'
  if (isOthers(observation, process, claimed)) return 'others-writer'
  return !isPlaced(observation) && isFed(observation, process, claimed) ? 'fed' : undefined
}

/**
 * True for a `tee` while what writes into its pipe lives and is not claimed: the pane of a session that somebody has renamed,
 * where only a name was recorded. The end of `tee` alone would break that pipe, and lose every further line.
 */
function isFed(
  { table }: Observation,
  { pid, sid }: SeenProcess,
  claimed: ReadonlyMap<number, unknown>,
): boolean {
  const input = pipeInto(pid)
  if (input === undefined) return false
  return [...table.values()].some(
    one =>
      one.sid === sid &&
      one.pid !== pid &&
      !claimed.has(one.pid) &&
      !hasEnded(one) &&
      outputOf(one.pid) === input,
  )
}

/** True when the agent's place in tmux is known, or was when its cleanup began. */
export const isPlaced = ({ entry, location: { session, recorded }, wasPlaced }: Observation): boolean =>
  session !== undefined || (recorded !== undefined && isDeployedHere(entry)) || wasPlaced === true

/**
 * True when something shows that a process is somebody else's: the tmux server that it comes from, its login or service, or
 * its living parent. What an agent leaves has either a claimed parent, which is better evidence than the log, or none that is
 * alive: an adopter or a tmux server stands in its place. Where the agent's place is unknown, its own pane may be unclaimed, so
 * this counts only for what began later than the log did: the agent's own writer begins it.
 */
function isOthers(
  observation: Observation,
  process: SeenProcess,
  claimed: ReadonlyMap<number, unknown>,
): boolean {
  const { location, sharedServers, table } = observation
  const { recorded, server, listed } = location
  const hasPlace = isPlaced(observation)
  if (!hasPlace && !beganAfterLog(observation, process)) return false
  const { environment, pid, ppid } = process
  const ownServer = hasPlace ? (server?.pid ?? recorded?.server_pid) : undefined
  const bornOn = serverOf(table, pid)?.pid
  // On a server that the agent started and others use, the session in which it was born has decided already.
  const isOwnServer = (one: number) =>
    one === ownServer || claimed.has(one) || sharedServers.some(shared => shared.server.pid === one)
  if (bornOn !== undefined && !isOwnServer(bornOn)) return true
  if (placeOf(observation).isElsewhere(environment) && listed.panes.has(environment.pane ?? '')) return true
  const job = ppid === ownServer ? process : jobOf(ownServer, process, table)
  if (job) return isOthersJob(observation, job)
  if (environment.tmux === undefined && isFromElsewhere(pid, [ownServer ?? -1, ...claimed.keys()]))
    return true
  const parent = table.get(ppid)
  if (!parent || isOrphan(process, table) || isTmuxServer(parent, table)) return false
  // Whoever adopted the agent's tmux server, a daemon, adopts the orphans below it, too.
  return parent.pid !== table.get(ownServer ?? -1)?.ppid
}

/** The job of a tmux server to which a process belongs: jobs are in the server's own session, panes are not. */
function jobOf(
  server: number | undefined,
  process: SeenProcess,
  table: ProcessTable,
): SeenProcess | undefined {
  const { sid } = table.get(server ?? -1) ?? {}
  const above = selfAndAncestors(table, process.pid)
  const job = above[above.findIndex(({ pid }) => pid === server) - 1]
  return job && job.sid === sid ? job : undefined
}

/**
 * True for a job of the agent's server that ran for another session (`run-shell`, hooks), by its TMUX. A `pipe-pane` has none.
 * One that an orchestrator opens to write the log begins with the agent; a later one may be the user's, of any pane, and ends
 * with the pane that it reads.
 */
function isOthersJob(observation: Observation, process: SeenProcess): boolean {
  const { server, session, socket, listed } = observation.location
  const { tmux } = process.environment
  const own = server && session && tmuxVariable(socket, server.pid, session.id)
  if (tmux !== undefined && (tmux === own || tmux === placeOf(observation).gone)) return false
  const isOfSession = (id: string) => server !== undefined && tmux === tmuxVariable(socket, server.pid, id)
  return [...listed.sessions].some(isOfSession) || !beganWith(observation, process)
}

/** True for a process of a login or a service that nothing of the agent's belongs to. */
function isFromElsewhere(pid: number, own: readonly number[]): boolean {
  const [unit, login] = [unitOf(pid), loginOf(pid)]
  const isOther = <T>(value: T | undefined, of: (pid: number) => T | undefined) =>
    value !== undefined && !own.some(one => of(one) === value)
  return (
    isOfAnotherLogin(pid, own) || isOther(login, loginOf) || (isUnitOfSomebody(unit) && isOther(unit, unitOf))
  )
}
