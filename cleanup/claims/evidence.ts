import type { Identity } from '../platform/processes/identity.ts'
import type { SeenProcess } from '../platform/processes/table.ts'

/** Why a process belongs to an agent. One kind is enough; a name or an argument never is. */
type EvidenceKind =
  /** tmux started it in a pane of the agent's session. */
  | 'pane'
  /** Its parent is claimed. */
  | 'descent'
  /** Its controlling terminal is the pane's. */
  | 'terminal'
  /** Its session (setsid) was opened by a claimed process. */
  | 'session'
  /** TMUX and TMUX_PANE in its initial environment name the agent's session or pane. */
  | 'tmux-environment'
  /** The orchestrator's marker in its initial environment names the agent. */
  | 'marker'
  /** It holds the agent's stream log open for writing. */
  | 'log'
  /** The subreaper that the agent was started below adopted it. */
  | 'subreaper'
  /** It is in the cgroup that the agent was started in. */
  | 'cgroup'
  /** An earlier scan of this cleaning claimed it. */
  | 'earlier-scan'

export interface Evidence {
  kind: EvidenceKind
  /** What exactly was seen, for people: `TMUX_PANE=%7`, `child of claude 123` ... */
  detail: string
}

/** The statement that a process belongs to an agent. */
export interface Claim {
  process: SeenProcess
  evidence: Evidence[]
}

/** Whose a process is that is left alone although there is evidence. */
export type SparedFor =
  /** The cleaner itself, or a process it runs below: it must not end itself in the middle of its work. */
  | 'cleaner'
  /** The cleaner itself, where an agent's subreaper has adopted it, and nothing else ties it to the agent. */
  | 'adopted-cleaner'
  /** The server of the agent's session, which others live in too; it can inherit an agent's marker. */
  | 'tmux-server'
  /** Another agent in the registries, which the first one may have deployed: innermost wins. */
  | 'other-agent'
  /** It writes the logs of several agents, so a log makes it nobody's. */
  | 'several-agents'
  /** It was there before the agent, so that writing its log makes it an orchestrator, and no part of the agent. */
  | 'older'
  /** It runs as another user, and only what runs as the workspace's owner is ever ended. */
  | 'other-user'

export interface Spared extends Claim {
  sparedFor: SparedFor
}

/** What a process says of itself, or what is said of it: whoever it belongs to can bring that about. */
const SELF_DECLARED: ReadonlySet<EvidenceKind> = new Set(['tmux-environment', 'marker', 'log'])

/** True when the kernel or tmux ties a process to the agent: its parent, its terminal, its session, its cgroup. */
export const isTied = ({ evidence }: Claim): boolean => evidence.some(({ kind }) => !SELF_DECLARED.has(kind))

/** What one scan says of an agent. */
export interface Claims {
  claimed: ReadonlyMap<number, Claim>
  spared: readonly Spared[]
  /** Processes whose environment we may not read: nothing is known of them, so they are not claimed. */
  unreadable: readonly Identity[]
}
