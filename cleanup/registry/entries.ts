import { isJson, type Json } from '../platform/files/json.ts'
import type { Identity } from '../platform/processes/identity.ts'
import { SET_ASIDE, type SetAside, takeFromList, takeFromMap, type WithSetAside } from './set-aside.ts'

/**
 * The registries in the form of the report's system. Other programs write them too: every object may have more fields, which
 * survive our writes.
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
  /** The inode of its stream log, as digits (log-inode.ts). */
  log_inode?: unknown
  /** Since when it is silent, by the daemon. */
  silent_since?: string
  /** Where it was deployed, a `World` (world.ts); other programs write registries too. */
  deployed_on?: unknown
  tmux?: RecordedTmux
  contained?: Contained
  cleanup?: CleanupRecord
  [field: string]: unknown
}

/**
 * An agent's place in tmux, recorded by our own orchestrator at the deploy. Pids are reused, so each comes with its start time
 * in clock ticks since boot (`startOf(pid)`). A pid without one proves nothing unless tmux confirms it. `session_created` in
 * seconds since 1970.
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

/** What our own orchestrator launched an agent in: a subreaper (the identity of `tini -s`) or a cgroup (its absolute folder). */
export type Contained = { by: 'tini'; pid: number; start: number } | { by: 'cgroup'; path: string }

/** The state of an agent's cleanup. `pending` is written before anything is ended, so that the next cleaner can finish. */
export interface CleanupRecord {
  state: 'pending' | 'done'
  since: string
  reason: string
  /** The process that began the cleanup; absent when that was left to the daemon. */
  cleaner?: Identity
  finished_at?: string
  /** `started_at` of the run that was cleaned up: a later run under the same id is not done. */
  started_at?: string
  /** Why the last attempt did not finish, in sentences. */
  problems?: string[]
  /** What is lost for ever (lines of a log), in sentences. It stays when the cleanup is done. */
  lost?: string[]
  /** Processes that the cleanup named and left alone, because no evidence tied them to the agent. */
  suspects?: RecordedSuspect[]
  /** Processes outside of the agent that started some of it: as long as they live, what they start since gets no signal. */
  supervisors?: RecordedSupervisor[]
  /** Since when somebody who is not seen starts it again: the daemon leaves what began later alone. */
  restarted_since?: string
}

/** `start` in clock ticks since boot. */
export interface RecordedSupervisor extends Identity {
  comm: string
}

/** `start` in clock ticks since boot; `resemblances` are for people. */
export interface RecordedSuspect extends Identity {
  comm: string
  resemblances: string[]
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

/** The status of an entry without one. It counts as live, like every unknown status. */
const NO_STATUS = 'unknown'

/**
 * Turns parsed JSON into a task registry, or returns what is wrong with it. Adds missing statuses, and sets aside what is not
 * an agent's entry.
 */
export function asTaskRegistry(value: Json): TaskRegistry | string {
  const { agents } = value
  if (!Array.isArray(agents)) return 'it has no list "agents"'
  const aside = takeFromList(agents, 'agents')
  for (const agent of agents) if (typeof agent.status !== 'string') agent.status = NO_STATUS
  return Object.assign(value as Json & TaskRegistry, held(aside))
}

/** `asTaskRegistry` for a global registry. Missing tasks or agents mean that there are none yet. */
export function asGlobalRegistry(value: Json): GlobalRegistry | string {
  const aside: SetAside[] = []
  for (const name of ['tasks', 'agents']) {
    value[name] ??= {}
    const map = value[name]
    if (!isJson(map)) return `its "${name}" is not an object`
    aside.push(...takeFromMap(map, name))
  }
  return Object.assign(value as Json & GlobalRegistry, held(aside))
}

const held = (aside: SetAside[]): WithSetAside => (aside.length > 0 ? { [SET_ASIDE]: aside } : {})
