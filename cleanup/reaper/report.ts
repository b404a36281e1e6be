import type { Evidence } from '../claims/evidence.ts'
import type { Suspect } from '../claims/suspect.ts'
import type { Identity } from '../platform/processes/identity.ts'
import type { AgentRef } from '../registry/layout.ts'

export type Outcome =
  /** Nothing of the agent is left. */
  | 'clean'
  /** An earlier cleanup had finished; this one did nothing. */
  | 'already-clean'
  /** The caller runs inside the agent: a process outside it does the work from here. */
  | 'handed-over'
  /** Something is left, or lost; `problems` names it and the reason. The next cleanup goes on from there. */
  | 'unfinished'

/** The strongest signal that we sent; null for a process that ended without one. */
export type StrongestSignal = 'SIGTERM' | 'SIGKILL' | null

export interface EndedProcess extends Identity {
  comm: string
  evidence: Evidence[]
  signal: StrongestSignal
}

/** Dead and not reaped by its parent: it holds nothing but its pid, and only its parent can free that. */
export interface Zombie extends Identity {
  comm: string
  parent: { pid: number; comm: string }
}

/** What one call of cleanUp did. */
export interface CleanUpReport {
  agent: AgentRef
  outcome: Outcome
  /** The status on disk. It may differ from the requested one: the first end counts. */
  status: string
  /** `left-alone`: it is not the agent's alone, or a process in it is kept; the reason is in `notes` or `problems`. `not-checked`: nothing was done at all. */
  session: 'was-gone' | 'ended-by-itself' | 'killed' | 'left-alone' | 'unknown' | 'not-checked'
  ended: EndedProcess[]
  zombies: Zombie[]
  /** Processes that may be the agent's although nothing ties them to it: left alone. */
  suspects: Suspect[]
  archived: { from: string; to: string }[]
  removed: string[]
  /** What is left and why, and what is lost, in sentences; empty unless the outcome is `unfinished`. */
  problems: string[]
  /** Those of the problems that no cleanup can solve: lines of a log that are gone. They stay in the registry. */
  lost: string[]
  /** What a person should know although nothing is left because of it. */
  notes: string[]
  ms: number
}

/** The outcome of a cleanup that did its work: what could not be ended, archived or saved is never clean. */
export const outcomeOf = ({ problems, lost }: Pick<CleanUpReport, 'problems' | 'lost'>): Outcome =>
  problems.length + lost.length > 0 ? 'unfinished' : 'clean'

export function emptyReport(agent: AgentRef, status: string): CleanUpReport {
  return {
    agent,
    outcome: 'clean',
    status,
    session: 'not-checked',
    ended: [],
    zombies: [],
    suspects: [],
    archived: [],
    removed: [],
    problems: [],
    lost: [],
    notes: [],
    ms: 0,
  }
}
