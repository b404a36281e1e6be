import type { Containment } from '../containment/contained.ts'
import type { Machine } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import type { TmuxLocation } from '../tmux/locate.ts'

/** All that is looked at to decide which processes are one agent's. */
export interface Observation extends Machine {
  ref: AgentRef
  entry: AgentEntry
  /** Every agent of the task, this one included. */
  agents: readonly AgentEntry[]
  /** The stream log's path as the kernel names it. */
  log: string
  location: TmuxLocation
  contained: Containment
  /** The session's name where it is not the agent's own by its id: of one that no registry lists. */
  sessionName?: string
  /** A session that is called as the agent's would be and is left alone, and why, in a sentence. */
  sharedSession?: { id: string; why: string }
}
