import { isJson, type Json } from '../platform/files/json.ts'
import type { Identity } from '../platform/processes/identity.ts'
import { SET_ASIDE, type SetAside, takeFromList, takeFromMap, type WithSetAside } from './set-aside.ts'

/**
 * The registries as the report's system keeps them. Other programs write them too: every object may hold
 * fields that are not named here, and they survive each of our writes.
 */
export interface TaskRegistry extends WithSetAside {
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

export interface GlobalRegistry extends WithSetAside {
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

/**
 * A task's registry in what was read, with the statuses that are missing, and without what is no agent's entry; or what is
 * wrong with it, in words.
 */
export function asTaskRegistry(value: Json): TaskRegistry | string {
  const { agents } = value
  if (!Array.isArray(agents)) return 'it has no list "agents"'
  const aside = takeFromList(agents, 'agents')
  for (const agent of agents) if (typeof agent.status !== 'string') agent.status = NO_STATUS
  return Object.assign(value as Json & TaskRegistry, held(aside))
}

/** The same of a global registry: one without tasks or agents has none yet. */
export function asGlobalRegistry(value: Json): GlobalRegistry | string {
  const aside: SetAside[] = []
  for (const name of ['tasks', 'agents']) {
    value[name] ??= {}
    const map = value[name]
    if (!isJson(map)) return `its "${name}" is no object`
    aside.push(...takeFromMap(map, name))
  }
  return Object.assign(value as Json & GlobalRegistry, held(aside))
}

const held = (aside: SetAside[]): WithSetAside => (aside.length > 0 ? { [SET_ASIDE]: aside } : {})
