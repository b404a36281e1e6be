import fs from 'node:fs'
import { type Identity, sameProcess } from '../platform/processes/identity.ts'
import type { SeenProcess } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { type AgentRef, agentOfMarker, taskRegistry } from '../registry/layout.ts'
import { namesAgent } from '../registry/marker.ts'
import { everyEntry, findAgent, listTasks, mayListMore, readTaskRegistry } from '../registry/registry.ts'
import { recordedTmux, tmuxVariable } from '../tmux/recorded.ts'

/**
 * Tells the processes of other registered agents. An agent deploys agents of its own, and those carry their own
 * marker, or run in their own session: the innermost one counts.
 */
export function otherAgents(ref: AgentRef, agents: readonly AgentEntry[]): (process: SeenProcess) => boolean {
  const isOwn = namesAgent(ref)
  // Made where something may be claimed: of most agents that are gone, nothing is.
  let sessions: ReadonlySet<string> | undefined
  const known = new Map<string, boolean>()

  return ({ environment: { marker, tmux, pane } }) => {
    if (tmux !== undefined && pane !== undefined) {
      sessions ??= sessionsOfOthers(ref, agents)
      if (sessions.has(tmux)) return true
    }
    if (marker === undefined) return false
    let other = known.get(marker)
    if (other === undefined) {
      other = !isOwn(marker) && isRegistered(marker)
      known.set(marker, other)
    }
    return other
  }
}

/** The values of TMUX in the sessions of a task's other agents. */
function sessionsOfOthers({ agentId }: AgentRef, agents: readonly AgentEntry[]): ReadonlySet<string> {
  const recorded = agents.flatMap(agent => (agent.id === agentId ? [] : (recordedTmux(agent) ?? [])))
  return new Set(
    recorded.map(({ socket, server_pid, session_id }) => tmuxVariable(socket, server_pid, session_id)),
  )
}

/** The marker may name an agent of any task in any workspace. One that no registry lists protects nothing. */
function isRegistered(marker: string): boolean {
  const ref = agentOfMarker(marker)
  if (!ref || !fs.existsSync(taskRegistry(ref.workspace, ref.taskId))) return false
  try {
    const registry = readTaskRegistry(ref.workspace, ref.taskId)
    return findAgent(registry, ref) !== undefined || mayListMore(registry)
  } catch {
    // A registry that is there and cannot be read may list it: in doubt the process is not ours.
    return true
  }
}

/**
 * Tells the tmux servers that agents were deployed on, in any task of the workspace: they are home to others, so
 * none is ever claimed. The registries are read when the first server comes up, which is seldom: an agent must
 * have started one.
 */
export function agentServers(workspace: string): (process: SeenProcess) => boolean {
  let servers: Identity[] | undefined
  return process => {
    // Only a hint where to look closer, never a reason to claim: tmux names its server so in a way that ps shows.
    if (!process.comm.startsWith('tmux')) return false
    servers ??= listTasks(workspace).flatMap(taskId => serversOfTask(workspace, taskId))
    return servers.some(server => sameProcess(server, process))
  }
}

function serversOfTask(workspace: string, taskId: string): Identity[] {
  return everyEntry(readTaskRegistry(workspace, taskId)).flatMap(agent => {
    const tmux = recordedTmux(agent)
    return tmux?.server_start === undefined ? [] : [{ pid: tmux.server_pid, start: tmux.server_start }]
  })
}
