import type { Resource } from '../snapshot/snapshot.ts'

/** What the rig knows and no snapshot tells. */
export interface Known {
  /** Ids of the agents that were deployed in this scenario. */
  agents: string[]
  /** When the last agent's ending began, by the clock of the snapshots. */
  endedAt: number
  /** Identities of the system's own processes: the orchestrator and whatever it started before the baseline. */
  system: Set<string>
  /** The agents' foreground commands, by the id that Claude gives their output. */
  foregroundTasks: Set<string>
  /** True for what counts neither as new nor as a sign of its agent's life. */
  excused?: (one: Resource) => boolean
  /** True for what may be new: it is somebody's who lives. Nothing may, where it is absent. */
  mayBeNew?: (one: Resource) => boolean
}
