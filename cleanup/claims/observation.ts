import type { Containment } from '../containment/contained.ts'
import type { Machine } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import type { TmuxLocation } from '../tmux/locate.ts'

/** Everything that decides which processes are one agent's, as it was at one moment. */
export interface Observation extends Machine {
  ref: AgentRef
  entry: AgentEntry
  /** Every agent of the task, this one included. */
  agents: readonly AgentEntry[]
  /** The stream log's path as the kernel names it. */
  log: string
  location: TmuxLocation
  contained: Containment
  /** The session's name where the agent's id does not give it: that of a session which no registry lists. */
  sessionName?: string
  /** A session that has the agent's name and is left alone, and why, in a sentence. */
  sharedSession?: { id: string; why: string }
}
