import fs from 'node:fs'
import { type Identity, sameProcess } from '../platform/processes/identity.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { type AgentRef, agentOfMarker, taskRegistry } from '../registry/layout.ts'
import { namesAgent } from '../registry/marker.ts'
import { everyAgent } from '../registry/read-all.ts'
import { findAgent, mayListMore, readTaskRegistry } from '../registry/registry.ts'
import { recordedWorkspaces } from '../registry/workspace-paths.ts'
import { isDeployedHere } from '../registry/world.ts'
import { isTmuxServer } from '../tmux/is-server.ts'
import { recordedTmux, tmuxVariable } from '../tmux/recorded.ts'

/**
 * Recognises the processes of other listed agents. An agent may deploy agents of its own, which carry their own marker or
 * run in their own session: the innermost agent counts.
 */
export function otherAgents(ref: AgentRef, agents: readonly AgentEntry[]): (process: SeenProcess) => boolean {
  const own = agents.find(({ id }) => id === ref.agentId)
  const isOwn = namesAgent(ref, own)
  // Made only when a process may be claimed: for most ended agents none is.
  let sessions: ReadonlySet<string> | undefined
  const isOtherByMarker = new Map<string, boolean>()

  return ({ environment: { marker, tmux, pane } }) => {
    if (tmux !== undefined && pane !== undefined) {
      sessions ??= sessionsOfOthers(ref, agents)
      if (sessions.has(tmux)) return true
    }
    if (marker === undefined) return false
    let other = isOtherByMarker.get(marker)
    if (other === undefined) {
      other = !isOwn(marker) && isRegistered(marker, ref, own)
      isOtherByMarker.set(marker, other)
    }
    return other
  }
}

/** The values of TMUX in the sessions of a task's other agents. */
function sessionsOfOthers({ agentId }: AgentRef, agents: readonly AgentEntry[]): ReadonlySet<string> {
  const others = agents.filter(agent => agent.id !== agentId && isDeployedHere(agent))
  const recorded = others.flatMap(agent => recordedTmux(agent) ?? [])
  return new Set(
    recorded.map(({ socket, server_pid, session_id }) => tmuxVariable(socket, server_pid, session_id)),
  )
}

/** The marker may name an agent of any task in any workspace. The marker of an agent that no registry lists protects nothing. */
function isRegistered(marker: string, cleaned: AgentRef, entry: AgentEntry | undefined): boolean {
  const named = agentOfMarker(marker)
  // Other agents of this workspace may carry the path that it had when they were deployed.
  const isFormer = named && entry && recordedWorkspaces(cleaned, entry).includes(named.workspace)
  const ref = named && isFormer ? { ...named, workspace: cleaned.workspace } : named
  if (!ref || !fs.existsSync(taskRegistry(ref.workspace, ref.taskId))) return false
  try {
    const registry = readTaskRegistry(ref.workspace, ref.taskId)
    return findAgent(registry, ref) !== undefined || mayListMore(registry)
  } catch {
    // A registry that cannot be read may list the agent: in doubt the process is not claimed.
    return true
  }
}

/**
 * Recognises the tmux servers that agents of any task of the workspace were deployed on. They hold others' sessions, so none
 * is ever claimed. The registries are read only when there is evidence for a server, which is rare: an agent must have
 * started it.
 */
export function agentServers(workspace: string, table: ProcessTable): (process: SeenProcess) => boolean {
  let servers: Identity[] | undefined
  return process => {
    if (!isTmuxServer(process, table)) return false
    servers ??= (fs.existsSync(workspace) ? everyAgent(workspace) : []).flatMap(({ entry }) => {
      const tmux = recordedTmux(entry)
      return tmux?.server_start === undefined ? [] : [{ pid: tmux.server_pid, start: tmux.server_start }]
    })
    return servers.some(server => sameProcess(server, process))
  }
}
