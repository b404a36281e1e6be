import type { SeenProcess } from '../platform/processes/table.ts'

/** Why a process belongs to an agent. One kind is enough; a name or an argument is never evidence. */
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
  /** An earlier scan of this cleanup claimed it. */
  | 'earlier-scan'

export interface Evidence {
  kind: EvidenceKind
  /** The fact, for people: `TMUX_PANE=%7`, `child of claude 123` ... */
  detail: string
}

/** The statement that a process belongs to an agent. */
export interface Claim {
  process: SeenProcess
  evidence: Evidence[]
}

/** Why a process is left alone although there is evidence. */
export type SparedFor =
  /** It is the cleaner itself, or a process that the cleaner runs below: the cleaner must not end itself. */
  | 'cleaner'
  /** It is the cleaner itself, and only its adoption by an agent's subreaper ties it to the agent. */
  | 'adopted-cleaner'
  /** It is the server of the agent's session, which holds others' sessions too and can inherit an agent's marker. */
  | 'tmux-server'
  /** It belongs to another listed agent, which the first one may have deployed: the innermost agent counts. */
  | 'other-agent'
  /** It writes the logs of several agents, so no log makes it an agent's. */
  | 'several-agents'
  /** It is older than the agent, so it is an orchestrator that writes the log, and no part of the agent. */
  | 'older'
  /** It only writes the log, and it comes from a process, tmux server, login or service of somebody else's (log-holders.ts). */
  | 'others-writer'
  /** It brings to the log what a living process writes that nothing shows to be the agent's, and would break its pipe. */
  | 'fed'
  /** It is in a background service of claude that serves others too (background/whose.ts). */
  | 'background-service'
  /** It is, or it lives in, a pane or a tmux server that others use by now (others-live-in.ts). */
  | 'in-use'
  /** It is a tmux server on which another agent lives, or lies between the two (agents-live-in.ts). */
  | 'agents-home'
  /** It has only marks that others may have been given too, where they lived or live (handed-on.ts, opened-by-hand.ts): it is a suspect. */
  | 'handed-on'
  /** It runs as another user, and only what runs as the workspace's owner is ever ended. */
  | 'other-user'

export interface Spared extends Claim {
  sparedFor: SparedFor
}

/** Evidence that any process can bring about for itself. */
const SELF_DECLARED: ReadonlySet<EvidenceKind> = new Set(['tmux-environment', 'marker', 'log'])

/** Evidence that a process passes on to all that it starts, wherever that lives. */
const HANDED_ON: ReadonlySet<EvidenceKind> = new Set(['marker', 'subreaper', 'cgroup'])

export const isHandedOn = (evidence: readonly Evidence[]): boolean =>
  evidence.every(({ kind }) => HANDED_ON.has(kind))

/** True for evidence that whatever is started in a window of the agent's session has, too. */
export const isOfWindow = (evidence: readonly Evidence[]): boolean =>
  evidence.every(({ kind }) => HANDED_ON.has(kind) || kind === 'tmux-environment')

/** True when the kernel or tmux ties a process to the agent: its parent, its terminal, its session, its cgroup. */
export const isTied = ({ evidence }: Claim): boolean => evidence.some(({ kind }) => !SELF_DECLARED.has(kind))

/** The result of one scan for one agent. */
export interface Claims {
  claimed: ReadonlyMap<number, Claim>
  spared: readonly Spared[]
}
