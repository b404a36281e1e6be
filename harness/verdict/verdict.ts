import type { Ignored, Owner, ResourceKind } from '../snapshot/snapshot.ts'
import type { CountTable } from '../timeline/counts.ts'
import type { Mechanism } from './mechanisms.ts'

/**
 * One resource that should not be there (leak), or that should be there and is not (collateral). Lost lines of a log count as
 * a leak: what should have come back did not.
 */
export interface Finding {
  verdict: 'leak' | 'collateral'
  kind: ResourceKind | 'line'
  /** The same for as long as the resource lives. */
  id: string
  /** A description of the resource. */
  what: string
  owner?: Owner
  /** A process itself; of a pane, a descriptor and a tmux server the process that it belongs to. */
  pid?: number
  /** The parent of a process. */
  ppid?: number
  /** Why it is still there, or how it was lost, by a name that stays. */
  mechanism: Mechanism
  /** The same in a sentence. */
  why: string
  /** A command that shows it, inside the sandbox. */
  command: string
  /** How long after the beginning of the last ending it was still seen, ms. */
  outlivedMs: number
}

export interface Verdict {
  result: 'pass' | 'leak' | 'collateral'
  /** What there was at the baseline, at the most, and when it had settled. */
  counts: CountTable
  leaks: Finding[]
  collateral: Finding[]
  /** From the last ending until the first of the snapshots that are at the baseline, ms; absent on a leak. */
  msToBaseline?: number
  /** What is new and may stay, with the policy that allows it. */
  kept: Ignored[]
  /** What the snapshots left out. */
  ignored: Ignored[]
  /** What was seen and does not count, in sentences. */
  notes: string[]
}
