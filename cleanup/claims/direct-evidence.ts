import { isOrphan, selfAndAncestors } from '../platform/processes/ancestry.ts'
import { NO_ENVIRONMENT } from '../platform/processes/environment.ts'
import { namesNobody } from '../platform/processes/environment-origin.ts'
import { sameProcess } from '../platform/processes/identity.ts'
import { shareTerminals } from '../platform/processes/namespaces.ts'
import type { Descriptor } from '../platform/processes/open-files.ts'
import { isOurs } from '../platform/processes/owner.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import { isTmuxServer } from '../tmux/is-server.ts'
import type { AgentPane } from '../tmux/locate.ts'
import type { Evidence } from './evidence.ts'
import { logWriters } from './log-writers.ts'
import { markerCounts } from './marker.ts'
import type { Observation } from './observation.ts'
import { type Place, placeOf } from './place.ts'
import { isStranger } from './strangers.ts'

/** Finds the evidence of each process itself, whatever its relations. The returned function is made once for a scan. */
export function directEvidence(observation: Observation): (process: SeenProcess) => Evidence[] {
  const place = placeOf(observation)
  const isMarked = markerCounts(observation, place)
  const isInPlace = ({ environment }: SeenProcess) => place.isOwn(environment) && environment.sharesPids
  const bearsMarks = (process: SeenProcess) => isInPlace(process) || isMarked(process)
  const writers = logWriters(observation.openFiles, observation.log).filter(
    ({ pid }) => !isStranger(pid, observation.entry, observation),
  )
  const panes = paneProcesses(observation, bearsMarks, place, writers)
  const terminals = new Map([...panes].filter(([pane]) => pane.tty !== 0).map(entry => [entry[0].tty, entry]))
  const { cgroup, noted, subreaper } = observation.contained
  // A server that an agent's process started is in the agent's cgroup, and so is every pane on it, a user's too.
  const server = observation.table.get(observation.location.server?.pid ?? -1)
  const servers = [server, ...observation.sharedServers.map(shared => shared.server)]
  const serverIsInCgroup = servers.some(one => one !== undefined && cgroup?.members.has(one.pid) === true)

  return process => {
    const evidence: Evidence[] = []
    const add = (kind: Evidence['kind'], detail: string) => evidence.push({ kind, detail })
    const { environment } = process
    const paneId = panes.get(process)
    if (paneId) add('pane', `tmux started it in pane ${paneId}`)
    const [pane, terminalOf] = terminals.get(process.tty) ?? []
    if (pane && shareTerminals(pane.pid, process.pid))
      add('terminal', `its terminal is that of pane ${terminalOf}`)
    const own = isInPlace(process)
    if (own) add('tmux-environment', `TMUX=${environment.tmux} TMUX_PANE=${environment.pane}`)
    if (isMarked(process)) add('marker', `LEAKRIG_AGENT=${environment.marker}`)
    if (cgroup?.members.has(process.pid) && (own || !(serverIsInCgroup || place.isElsewhere(environment))))
      add('cgroup', `it is in the cgroup ${cgroup.path}`)
    if (sameProcess(process, subreaper) && bearsMarks(process))
      add('subreaper', 'it is the agent’s subreaper')
    if (noted.get(process.pid) === process.start && isNotable(process, observation))
      add('subreaper', 'it was noted below the agent’s subreaper')
    const writer = writers.find(({ pid }) => pid === process.pid)
    if (writer) add('log', `its descriptor ${writer.fd} writes ${observation.log}`)
    return evidence
  }
}

const isBelow = (table: ProcessTable, pid: number, ancestor: number): boolean =>
  selfAndAncestors(table, pid).some(one => one.pid === ancestor)

/**
 * The processes that tmux started in the agent's panes, each with its pane's id. The recorded one is included also when its
 * server is gone, if it carries the agent's marks itself: the registry may name any process.
 */
function paneProcesses(
  { location: { recorded, server, panes }, guests, sharedServers, table }: Observation,
  bearsMarks: (process: SeenProcess) => boolean,
  place: Place,
  writers: readonly Descriptor[],
): Map<SeenProcess, string> {
  const found = new Map<SeenProcess, string>()
  const deployed = recorded && table.get(recorded.pane_pid)
  if (deployed && deployed.start === recorded.pane_start && bearsMarks(deployed))
    found.set(deployed, recorded.pane_id)
  for (const { server, own, ownWindows } of sharedServers)
    for (const [pid, { start, pane }] of own) {
      const process = table.get(pid)
      if (process?.start === start)
        found.set(process, `${pane} of the ${ownWindows ? 'screen' : 'tmux'} server ${server.pid}`)
    }
  for (const pane of panes) {
    const process = table.get(pane.pid)
    if (guests.some(({ id }) => id === pane.id)) continue
    const isOwn = () =>
      !pane.shared || place.isOwn(process?.environment ?? NO_ENVIRONMENT) || isRespawned(pane)
    if (process && isPaneProcess(pane, process) && isOwn()) found.set(process, pane.id)
  }
  return found

  /** The recorded pane, moved to another session, where what was started in it anew has no mark: only the log shows whose it is. */
  function isRespawned({ id, pid }: AgentPane): boolean {
    return id === recorded?.pane_id && writers.some(writer => isBelow(table, writer.pid, pid))
  }

  // The pid that a dead pane shows may be another process's by now. A live pane's process is the server's own child.
  function isPaneProcess(pane: AgentPane, process: SeenProcess): boolean {
    return !pane.dead && process.ppid === server?.pid
  }
}

/**
 * True for a process that a note of the subreaper's orphans may name. The agent can write that note, so it counts only for
 * a process that carries no trace of anybody: an orphan without a terminal, with an environment that is empty or holds only
 * what every program needs. A user's own daemon has more.
 */
const isNotable = (process: SeenProcess, { table }: Observation): boolean =>
  process.tty === 0 &&
  isOrphan(process, table) &&
  isOurs(process.pid) &&
  namesNobody(process.pid) &&
  !isTmuxServer(process, table)
