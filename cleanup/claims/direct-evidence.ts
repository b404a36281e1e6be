import { sameProcess } from '../processes/identity.ts'
import { sharesPids, shareTerminals } from '../processes/namespaces.ts'
import type { SeenProcess } from '../processes/table.ts'
import type { AgentPane } from '../tmux/locate.ts'
import { tmuxVariable } from '../tmux/recorded.ts'
import { namesAgent } from '../workspace/marker.ts'
import type { Evidence } from './evidence.ts'
import { logWriters } from './log-writers.ts'
import type { Scene } from './scene.ts'

/** What speaks for a process by itself, whatever its relations: a function made once for a scan. */
export function directEvidence(scene: Scene): (process: SeenProcess) => Evidence[] {
  const isOwn = namesAgent(scene.ref)
  const tmux = tmuxNames(scene)
  const writers = logWriters(scene.openFiles, scene.log)
  const panes = paneProcesses(scene, tmux)
  const terminals = new Map([...panes].filter(([pane]) => pane.tty !== 0).map(entry => [entry[0].tty, entry]))
  const { cgroup, noted, subreaper } = scene.contained
  // A server that was started by an agent's process has that agent's marker and is in its cgroup, and so is every pane of every user in it.
  const server = scene.table.get(scene.where.server?.pid ?? -1)
  const serverIsMarked = isOwn(server?.environment.marker)
  const serverIsInCgroup = server !== undefined && cgroup?.members.has(server.pid) === true

  return process => {
    const evidence: Evidence[] = []
    const add = (kind: Evidence['kind'], detail: string) => evidence.push({ kind, detail })
    const { environment } = process
    const paneId = panes.get(process)
    if (paneId) add('pane', `tmux started it in pane ${paneId}`)
    const [pane, terminalOf] = terminals.get(process.tty) ?? []
    if (pane && shareTerminals(pane.pid, process.pid))
      add('terminal', `its terminal is that of pane ${terminalOf}`)
    const own = tmux.has(environment) && sharesPids(process.pid)
    if (own) add('tmux-environment', `TMUX=${environment.tmux} TMUX_PANE=${environment.pane}`)
    const markerCounts = own || !(serverIsMarked || tmux.isElsewhere(environment))
    if (isOwn(environment.marker) && markerCounts && sharesPids(process.pid))
      add('marker', `LEAKRIG_AGENT=${environment.marker}`)
    if (cgroup?.members.has(process.pid) && (own || !(serverIsInCgroup || tmux.isElsewhere(environment))))
      add('cgroup', `it is in the cgroup ${cgroup.path}`)
    if (sameProcess(process, subreaper)) add('subreaper', 'it is the agent’s subreaper')
    if (noted.get(process.pid) === process.start) add('subreaper', 'it was seen below the agent’s subreaper')
    const writer = writers.find(({ pid }) => pid === process.pid)
    if (writer) add('log', `its descriptor ${writer.fd} writes ${scene.log}`)
    return evidence
  }
}

/** Judges TMUX and TMUX_PANE. A tmux job (`run-shell`, `#()`) has the first without the second, and is the server's. */
function tmuxNames({ where }: Scene) {
  const { recorded, server, session } = where
  const sessions = new Set<string>()
  if (server && session) sessions.add(tmuxVariable(where.socket, server.pid, session.id))
  if (recorded) sessions.add(tmuxVariable(recorded.socket, recorded.server_pid, recorded.session_id))
  const servers = [...sessions].map(value => value.slice(0, value.lastIndexOf(',') + 1))
  // A pane that another session shows too may have been born there; then only the session's number tells.
  const panes = new Set(where.panes.filter(pane => !pane.shared).map(pane => pane.id))
  if (recorded) panes.add(recorded.pane_id)
  const onServer = (value: string) => servers.some(server => value.startsWith(server))

  const has = ({ tmux, pane }: SeenProcess['environment']): boolean =>
    tmux !== undefined && pane !== undefined && (sessions.has(tmux) || (onServer(tmux) && panes.has(pane)))
  /** It was started in a pane of the same server that is not the agent's. */
  const isElsewhere = (environment: SeenProcess['environment']): boolean =>
    environment.pane !== undefined && onServer(environment.tmux ?? '') && !has(environment)
  return { has, isElsewhere }
}

/** The processes that tmux started in the agent's panes, each with its pane's id. */
function paneProcesses(scene: Scene, tmux: ReturnType<typeof tmuxNames>): Map<SeenProcess, string> {
  const found = new Map<SeenProcess, string>()
  const { recorded, server } = scene.where
  const deployed = recorded && scene.table.get(recorded.pane_pid)
  if (deployed && deployed.start === recorded.pane_start) found.set(deployed, recorded.pane_id)
  for (const pane of scene.where.panes) {
    const process = scene.table.get(pane.pid)
    if (process && isPaneProcess(pane, process) && (!pane.shared || tmux.has(process.environment)))
      found.set(process, pane.id)
  }
  return found

  // The number that a dead pane shows may have passed to anybody. A live pane's process is the server's own child.
  function isPaneProcess(pane: AgentPane, process: SeenProcess): boolean {
    return !pane.dead && process.ppid === server?.pid
  }
}
