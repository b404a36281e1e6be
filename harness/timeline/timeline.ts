import type { ResourceKind } from '../snapshot/snapshot.ts'
import type { Counts } from './counts.ts'

/**
 * What happened in the sandbox of one scenario, as far as its snapshots show. All times are in ms since the rig began with it.
 * Something that came and went between two snapshots is not in it.
 */
export interface Timeline {
  /** When the rig began, ms since the epoch. */
  startedAt: number
  /** The time of the last snapshot. */
  endedAt: number
  /** What the scenario did, in the order in which it began. */
  steps: Step[]
  /** The counts, and when they changed: each sample holds until the next one. */
  samples: Sample[]
  /** Every resource that a snapshot showed, in the order of their appearance. */
  lives: Life[]
}

/** A step of a scenario, such as a deploy or an ending. */
export interface Step {
  what: string
  /** The agent whose step it is. */
  agent?: string
  at: number
  /** How long it took. Absent for a moment, and for a step that was not over at the end. */
  ms?: number
}

export interface Sample {
  at: number
  counts: Counts
}

/** A resource from the first snapshot that showed it to the first that did not. */
export interface Life {
  id: string
  kind: ResourceKind
  /** What it is called in reports. */
  what: string
  /** The agent that it belongs to, and why, as far as a snapshot shows it. */
  agent?: string
  evidence?: string
  from: number
  /** Absent where the last snapshot still showed it. */
  to?: number
  /** It was there before the first agent, or joined the baseline afterwards. */
  isBaseline?: true
  /** Only for a process. */
  process?: ProcessLife
}

export interface ProcessLife {
  pid: number
  /** Its parent's pid when it was seen first, and the later ones with the time at which they were seen first. */
  ppid: number
  parents?: { at: number; ppid: number }[]
  /** When it was seen stopped (T), as a zombie (Z), or neither again. */
  states?: { at: number; state: 'T' | 'Z' | 'runs' }[]
}
