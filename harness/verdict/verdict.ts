import type { Ignored, Owner, ResourceKind } from '../snapshot/snapshot.ts'

/** One thing that is there and should not be (leak), or should be there and is not (collateral). */
export interface Finding {
  verdict: 'leak' | 'collateral'
  kind: ResourceKind
  /** Stable for as long as the thing lives. */
  id: string
  /** What it is, in words. */
  what: string
  owner?: Owner
  /** Why it is still there, or how it was lost. */
  mechanism: string
  /** A command that shows it, inside the sandbox. */
  command: string
  /** How long it was seen after the last agent's ending, ms. */
  outlivedMs: number
}

/** How many of each kind. */
export type Counts = Record<ResourceKind, number>

export interface Verdict {
  result: 'pass' | 'leak' | 'collateral'
  baseline: Counts
  settled: Counts
  leaks: Finding[]
  collateral: Finding[]
  /** From the last ending until the first of the snapshots that are at the baseline, ms; absent on a leak. */
  msToBaseline?: number
  /** What is new and stays by policy, with the policy. */
  kept: Ignored[]
  /** What the snapshots left out. */
  ignored: Ignored[]
  /** Seen and not counted, in words. */
  notes: string[]
}
