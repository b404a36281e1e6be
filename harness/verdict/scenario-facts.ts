import type { Kept } from '../definition/system.ts'
import type { Resource } from '../snapshot/snapshot.ts'

/** What the rig knows about a scenario and no snapshot shows. */
export interface ScenarioFacts {
  /** Ids of the agents that were deployed. */
  agents: string[]
  /** When the last agent's ending began, by the clock of the snapshots (ms). */
  endedAt: number
  /** What the system declares to keep. */
  keeps: readonly Kept[]
  /** Identities of the system's own processes: the orchestrator and whatever it started before the baseline. */
  system: Set<string>
  /** The agents' foreground commands, by the id that Claude gives their output. */
  foregroundTasks: Set<string>
  /** True for a resource that counts neither as new nor as a sign of its agent's life. */
  isIgnored?: (one: Resource) => boolean
  /** True for a resource that may be new, because its owner lives. Without this, nothing may be new. */
  mayBeNew?: (one: Resource) => boolean
}
