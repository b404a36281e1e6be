import type { ForeignSession, LeftoverSession } from '../claims/leftovers/find.ts'
import type { LeftoverProcess } from '../claims/leftovers/processes.ts'
import type { NamedSuspect } from '../claims/leftovers/suspects.ts'
import type { DiskUse } from './disk-use.ts'
import type { DaemonFigures } from './health.ts'

/** An agent as its registry lists it, and what it uses on the machine. An undefined figure is unknown; it never means 0. */
export interface AgentRow {
  workspace: string
  taskId: string
  agentId: string
  status: string
  /** `live`: not ended, by its registry. `pending`: its end is recorded, and its cleanup is not done. */
  state: 'live' | 'pending' | 'done'
  /** When that status began, by the registry. */
  since?: string
  /** Whether tmux has its session. Not measured once the cleanup is done. */
  session?: boolean
  /** The processes that a cleanup would claim, and their resident memory. Not measured once the cleanup is done. */
  processes?: number
  claudes?: number
  rssBytes?: number
  /** The length of its stream log, while that is in logs/. */
  logBytes?: number
  /** When the log was last written, in ms since 1970. */
  lastOutputMs?: number
  /** What its last cleanup could not do, and what could not be measured now, in sentences. */
  problems: string[]
  /** True when something of this row could not be measured. */
  unknown: boolean
}

export interface SessionFigures {
  /** Sessions of live agents. */
  active: number
  /** Sessions of ended agents whose cleanup is not done. */
  ended: number
  leftover: LeftoverSession[]
  /** Sessions named `agent_*` of other workspaces, which are no leftovers. */
  foreign: ForeignSession[]
}

export interface ProcessFigures {
  ofAgents: number
  rssBytes: number
  /** Processes that the kernel names claude: those of agents, and all others, which may be a user's own. */
  claudesOfAgents: number
  claudesUnowned: number
  leftovers: LeftoverProcess[]
  /** Processes that no evidence ties to an agent, and that may be one's all the same. */
  suspects: NamedSuspect[]
}

export interface WorkspaceFigures {
  workspace: string
  agents: AgentRow[]
  daemon: DaemonFigures
  /** Undefined when the workspace could not be read. */
  disk: DiskUse | undefined
}

/** One measurement of some workspaces and of the machine. */
export interface Measurement {
  /** In ms since 1970. */
  atMs: number
  tookMs: number
  workspaces: WorkspaceFigures[]
  /** Undefined when a tmux server did not answer or a registry could not be read: a partial count would mislead. */
  sessions: SessionFigures | undefined
  /** Undefined when processes are hidden, or when `sessions` is unknown, which the leftovers depend on. */
  processes: ProcessFigures | undefined
  /** What could not be read, in sentences. */
  problems: string[]
}

export const isPendingRow = ({ state }: AgentRow): boolean => state === 'pending'

/** The age of the oldest pending cleanup in seconds; 0 when none is pending, or when no entry has a time. */
export function oldestPendingSeconds(agents: readonly AgentRow[], nowMs: number): number {
  const since = agents.filter(isPendingRow).map(({ since }) => Date.parse(since ?? ''))
  return since.filter(Number.isFinite).reduce((oldest, ms) => Math.max(oldest, (nowMs - ms) / 1000), 0)
}
