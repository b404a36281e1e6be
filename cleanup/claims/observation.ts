import type { Containment } from '../containment/contained.ts'
import type { Identity } from '../platform/processes/identity.ts'
import type { Machine, SeenProcess } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import type { AgentPane, TmuxLocation } from '../tmux/locate.ts'

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
  /** True when the agent's place in tmux was known to an earlier scan of the same cleanup. */
  wasPlaced?: boolean
  /** The session's name where the agent's id does not give it: that of a session which no registry lists. */
  sessionName?: string
  /**
   * A session that has the agent's name and is left alone, and why, in a sentence. `isBirthplace`: the agent was born there,
   * and others live in it by now.
   */
  sharedSession?: { id: string; why: string; isBirthplace?: boolean }
  /** Panes in the agent's session that others live in. */
  guests: readonly AgentPane[]
  /** The tmux servers that the agent started and that others live in by now. */
  sharedServers: readonly SharedServer[]
  /** True when a tmux server with the agent's marker once had a session besides the agent's, or may be somebody else's. */
  wasShared?: boolean
  /** Windows that somebody may have opened by hand where the agent lives, and closed, when its cleanup began. */
  closedWindows?: readonly ClosedWindows[]
  /** Panes in others' sessions that the agent may have opened, when its cleanup began (unseen-panes.ts). */
  unseenPanes?: readonly UnseenPane[]
}

/** The windows that somebody may have opened by hand in one place of the agent's, and that have closed since. */
export interface ClosedWindows {
  /** When somebody could open them, in ms since 1970. */
  sinceMs: number
  untilMs: number
  /** True for a process that was started in such a window if it began in that time. */
  holds(process: SeenProcess): boolean
}

/** The process of such a pane, and why it is suspected. */
export interface UnseenPane extends Identity {
  why: string
}

/** A tmux or screen server that an agent started and that others live in: it is left running, and of it only `own` ends. */
export interface SharedServer {
  server: Identity
  /** The processes of the agent's own panes there, by pid. */
  own: ReadonlyMap<number, { start: number; pane: string }>
  /** The numbers of the sessions that the agent's panes were born in. */
  ownSessions: ReadonlySet<number>
  /** The numbers of the sessions that others live in now, or that their panes were born in. */
  othersSessions: ReadonlySet<number>
  /** The panes that others live in. */
  othersPanes?: ReadonlySet<string>
  /** Of a screen server: the numbers of the agent's own windows (WINDOW). */
  ownWindows?: ReadonlySet<string>
  /** In a sentence, for people: who lives there, and the command that shows it. */
  why: string
}
