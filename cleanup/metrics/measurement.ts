import type { DiskUse } from './disk-use.ts'
import type { Health } from './health.ts'

/** One agent as a registry lists it, with what there is of it on the machine. Undefined means: not known, never none. */
export interface AgentRow {
  workspace: string
  taskId: string
  agentId: string
  status: string
  /** `live`: it runs as far as the registry knows. `pending`: its end is on disk, its cleanup is not done. */
  state: 'live' | 'pending' | 'done'
  /** When that status began, as the registry has it. */
  since?: string
  /** Whether tmux has its session. Not looked at where the cleanup is done. */
  session?: boolean
  /** Its processes and their resident memory, by the claims that a cleanup would make. Not looked at where it is done. */
  processes?: number
  claudes?: number
  rssBytes?: number
  /** Its stream log, where that still lies in logs/. */
  logBytes?: number
  /** When the log was last written, in ms since 1970. */
  lastOutputMs?: number
  /** Why its last cleanup left something, and what could not be looked at now, in sentences. */
  problems: string[]
  /** True when something of this row could not be read or asked. */
  unknown: boolean
}

/** A session named `agent_*` that belongs to no agent of the workspaces that were measured. */
interface LeftoverSession {
  name: string
  id: string
  socket: string
}

/** A process that something ties to an agent of these workspaces which is done, or which no registry lists. */
export interface LeftoverProcess {
  pid: number
  comm: string
  /** What ties it, for people. */
  why: string
  rssBytes: number
}

export interface SessionFigures {
  /** Of agents that live. */
  active: number
  /** Of agents at their end, whose cleanup is not done. */
  ended: number
  leftover: LeftoverSession[]
}

export interface ProcessFigures {
  ofAgents: number
  rssBytes: number
  /** Processes whose name is claude, by the kernel: those of agents, and those of nobody's we know (a user's own). */
  claudesOfAgents: number
  claudesUnowned: number
  leftovers: LeftoverProcess[]
}

/** Who watches a workspace, by what lies in registry/. */
export interface DaemonFigures {
  /** The process that holds the workspace, when it runs. */
  pid?: number
  /** True when somebody has stopped that process (SIGSTOP, a debugger): it does nothing until it is continued. */
  stopped?: true
  /** What the daemon last said of itself. */
  health?: Health
  /** True when that is recent and its process runs. */
  fresh: boolean
}

export interface WorkspaceFigures {
  workspace: string
  agents: AgentRow[]
  daemon: DaemonFigures
  /** Undefined when the workspace could not be looked at. */
  disk: DiskUse | undefined
}

/** What one look at some workspaces and the machine found. */
export interface Measurement {
  /** When, in ms since 1970, and how long it took. */
  atMs: number
  tookMs: number
  workspaces: WorkspaceFigures[]
  /** Undefined when a tmux server could not be asked: half a count is not a count. */
  sessions: SessionFigures | undefined
  /** Undefined when processes are hidden, or when tmux could not say which of them an agent started. */
  processes: ProcessFigures | undefined
  /** Everything that could not be read or asked, in sentences. */
  problems: string[]
}
