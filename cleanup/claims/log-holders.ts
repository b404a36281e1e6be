import { isOrphan } from '../platform/processes/ancestry.ts'
import type { SeenProcess } from '../platform/processes/table.ts'
import { isDeployedHere } from '../registry/world.ts'
import { isOlder } from './age.ts'
import type { SparedFor } from './evidence.ts'
import { writesOtherLogs } from './log-writers.ts'
import type { Observation } from './observation.ts'
import { isTmuxServer } from './others-live-in.ts'
import { placeOf } from './place.ts'

/**
 * Tells why a process is spared that only the agent's log ties to it: anybody may write that file, such as an orchestrator,
 * a log collector, or a person in an editor. Undefined when the log makes it the agent's.
 */
export function spareLogHolder(observation: Observation, process: SeenProcess): SparedFor | undefined {
  if (writesOtherLogs(observation.openFiles, observation.log, process.pid)) return 'several-agents'
  if (isOlder(observation, process)) return 'older'
  return isOthersChild(observation, process) ? 'others-child' : undefined
}

/**
 * True when somebody else's process, still alive, started it, or it was born in a pane of somebody else's. What an agent
 * leaves has either a claimed parent, which is better evidence than the log, or none that is alive: an adopter or a tmux
 * server stands in its place. Where the agent's place is unknown, its own pane may be unclaimed, so a parent says nothing.
 */
function isOthersChild(observation: Observation, process: SeenProcess): boolean {
  const { entry, location, table } = observation
  const { session, recorded, server, listed } = location
  if (!session && !(recorded && isDeployedHere(entry))) return false
  const { environment } = process
  if (placeOf(observation).isElsewhere(environment) && listed.panes.has(environment.pane ?? '')) return true
  const parent = table.get(process.ppid)
  if (!parent || isOrphan(process, table) || isTmuxServer(parent)) return false
  // Whoever adopted the agent's tmux server, a daemon, adopts the orphans below it, too.
  return parent.pid !== table.get(server?.pid ?? recorded?.server_pid ?? -1)?.ppid
}
