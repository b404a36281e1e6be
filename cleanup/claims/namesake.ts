import type { ProcessTable, SeenProcess } from '../processes/table.ts'
import { recordedTmux, sessionNameOf, tmuxVariable } from '../tmux/recorded.ts'
import { agentOfMarker } from '../workspace/layout.ts'
import { namesAgent } from '../workspace/marker.ts'
import { listTasks, readTaskRegistry } from '../workspace/registry.ts'
import type { AgentEntry } from '../workspace/registry-types.ts'
import { isTerminal } from '../workspace/status.ts'
import { logWriters } from './log-writers.ts'
import type { Scene } from './scene.ts'

/** tmux tells when a session was created in whole seconds. */
const SECOND_MS = 1_000

/**
 * A scene without a session that is only called as the agent's would be. Of an agent whose place in tmux nobody recorded a
 * name is all that is known, and names are used again: by another task, another workspace, the next run. So a session in
 * which nothing is the agent's own (its marker, its log) is left alone when anything says that it is another's.
 * Throws for a registry that may say so and cannot be read.
 */
export function withoutNamesake(scene: Scene): Scene {
  const { where, entry } = scene
  if (!where.session || recordedTmux(entry)) return scene
  const why = whose(scene, where.session)
  if (why === undefined) return scene
  const { id, name } = where.session
  const namesake = `The session ${name} (${id}) is left alone, because only its name is the agent’s: ${why}.`
  return { ...scene, namesake, where: { ...where, session: undefined, panes: [] } }
}

function whose(scene: Scene, session: { id: string; created: number }): string | undefined {
  const { ref, entry, openFiles, table, where } = scene
  const within = processesWithin(scene, session)
  const isOwn = namesAgent(ref)
  // A server that an agent has started hands that agent's marker on to every session in it.
  const handedOn = table.get(where.server?.pid ?? -1)?.environment.marker
  const markerOf = ({ environment: { marker } }: SeenProcess) => (marker === handedOn ? undefined : marker)
  const writerOf = (log: string) => logWriters(openFiles, log).find(({ pid }) => within.has(pid))
  if ([...within.values()].some(seen => isOwn(markerOf(seen))) || writerOf(scene.log)) return undefined

  for (const { pid } of where.panes) {
    const pane = within.get(pid)
    if (pane && agentOfMarker(markerOf(pane) ?? ''))
      return `its process ${pid} carries LEAKRIG_AGENT=${markerOf(pane)}`
  }
  for (const log of openFiles.keys()) {
    const writer = log.endsWith('_stream.jsonl') && writerOf(log)
    if (writer) return `its process ${writer.pid} writes ${log}`
  }
  if (session.created * SECOND_MS > endOf(entry) + SECOND_MS)
    return 'it was created after the agent had ended'
  return livingNamesake(scene)
}

/** When an agent ended, in ms since 1970. NaN when that is not known, or when the entry tells it of an earlier life. */
function endOf({ status, started_at, completed_at }: AgentEntry): number {
  const at = isTerminal(status) ? Date.parse(completed_at ?? '') : Number.NaN
  return Date.parse(started_at ?? '') > at ? Number.NaN : at
}

/** What tmux started in a session, and what says by its environment that it was started there. */
function processesWithin({ where, table }: Scene, { id }: { id: string }): ProcessTable {
  const panes = new Set(where.panes.map(({ pid }) => pid))
  const variable = where.server && tmuxVariable(where.socket, where.server.pid, id)
  const isWithin = ({ pid, ppid, environment }: SeenProcess) =>
    (panes.has(pid) && ppid === where.server?.pid) || environment.tmux === variable
  return new Map([...table].filter(([, seen]) => isWithin(seen)))
}

/** An agent of any task of the workspace that lives, and whose session is called so. */
function livingNamesake({ ref, entry }: Scene): string | undefined {
  const name = sessionNameOf(entry)
  for (const taskId of listTasks(ref.workspace)) {
    const other = readTaskRegistry(ref.workspace, taskId).agents.find(
      agent =>
        !isTerminal(agent.status) &&
        sessionNameOf(agent) === name &&
        (taskId !== ref.taskId || agent.id !== ref.agentId),
    )
    if (other) return `${taskId}/${other.id}, which lives, has a session of that name`
  }
  return undefined
}
