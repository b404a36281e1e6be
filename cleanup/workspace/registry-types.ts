import { isJson, type Json } from '../files/json.ts'
import type { Identity } from '../processes/identity.ts'

/**
 * The registries as the report's system keeps them. Other programs write them too: every object may hold
 * fields that are not named here, and they survive each of our writes.
 */
export interface TaskRegistry {
  task_id: string
  status?: string
  agents: AgentEntry[]
  total_spawned?: number
  active_count?: number
  completed_count?: number
  [field: string]: unknown
}

export interface AgentEntry {
  id: string
  status: string
  type?: string
  parent?: string
  tmux_session?: string
  started_at?: string
  last_update?: string
  progress?: number
  completed_at?: string
  terminated_at?: string
  reason?: string
  prompt_file?: string
  log_file?: string
  deploy_log?: string
  tmux?: RecordedTmux
  contained?: Contained
  cleanup?: CleanupRecord
  [field: string]: unknown
}

/**
 * Where in tmux an agent lives, noted by our own orchestrator at deploy. Pids alone are reused, so each comes
 * with its start time in clock ticks since boot (`startOf(pid)`); without one a pid proves nothing once tmux no
 * longer vouches for it. `session_created` in seconds since 1970.
 */
export interface RecordedTmux {
  socket: string
  server_pid: number
  server_start?: number
  session_id: string
  session_created: number
  pane_id: string
  pane_pid: number
  pane_start?: number
}

/**
 * What our own orchestrator put around an agent: a subreaper (`tini -s`, its identity), or a cgroup (the absolute
 * path of its folder).
 */
export type Contained = { by: 'tini'; pid: number; start: number } | { by: 'cgroup'; path: string }

/** How far an agent's cleanup has come. `pending` is written before anything is ended: whoever comes next finishes it. */
export interface CleanupRecord {
  state: 'pending' | 'done'
  since: string
  reason: string
  /** Who set out to clean up; absent when it was left to the daemon. */
  cleaner?: Identity
  finished_at?: string
  /** When the run began whose end it was, as the entry said: one that was started again under its id is not done. */
  started_at?: string
  /** Why the last attempt left something undone, in sentences. */
  problems?: string[]
}

export interface GlobalRegistry {
  created_at?: string
  total_tasks?: number
  active_tasks?: number
  total_agents_spawned?: number
  active_agents?: number
  tasks: Record<string, Json>
  agents: Record<string, Json>
  [field: string]: unknown
}

/** What an agent's status is called that its entry does not say. It counts as live, like every word that is not known. */
const NO_STATUS = 'unknown'

/** A task's registry in what was read, with the statuses that are missing; or what is wrong with it, in words. */
export function asTaskRegistry(value: Json): TaskRegistry | string {
  if (!Array.isArray(value.agents)) return 'it has no list "agents"'
  for (const [n, agent] of value.agents.entries()) {
    if (!isJson(agent) || typeof agent.id !== 'string') return `number ${n + 1} of its agents has no id`
    if (typeof agent.status !== 'string') agent.status = NO_STATUS
  }
  return value as Json & TaskRegistry
}

/** The same of a global registry: one without tasks or agents has none yet. */
export function asGlobalRegistry(value: Json): GlobalRegistry | string {
  for (const name of ['tasks', 'agents']) {
    value[name] ??= {}
    const map = value[name]
    if (!isJson(map) || !Object.values(map).every(isJson)) return `its "${name}" is no object of objects`
  }
  return value as Json & GlobalRegistry
}
