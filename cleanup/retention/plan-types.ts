import type { Log } from '../log.ts'
import type { Clock } from './clock.ts'
import type { ActiveHold } from './hold.ts'
import type { LogFile } from './log-file.ts'
import type { RetentionPolicy } from './policy.ts'

/** Why a file is removed or stays. */
export type Rule =
  // A guard: the file must not be touched, whatever the policy is.
  | 'unknown'
  | 'not-a-file'
  | 'not-archived'
  | 'registry-unreadable'
  | 'live'
  | 'pending'
  | 'unlisted'
  | 'elsewhere'
  | 'open'
  // The policy keeps it.
  | 'hold'
  | 'young'
  | 'keep-last'
  | 'clock'
  | 'time'
  // The policy removes it.
  | 'keep-days'
  | 'max-bytes'
  | 'min-free'
  | 'draft'

/** A file and what happens to it. */
export interface FileDecision extends LogFile {
  /** `leave` when a guard protects the file, `keep` when the policy does. */
  action: 'remove' | 'keep' | 'leave'
  rule: Rule
  /** The reason, for people. */
  why: string
  /** When the file was archived, by the wall clock in ms; absent when its time cannot be right. */
  sinceMs?: number
}

/** How much of one file system is free, against what the policy wants. */
export interface Floor {
  device: string
  /** A folder on that file system. */
  folder: string
  wantedBytes: number
  /** Free for every user, not only for root. */
  freeBytes: number
  /** The bytes that the plan's removals free there, whatever their rule. */
  freesBytes: number
  totalBytes: number
  /** Why the floor is not reached, and which files take the most space; empty when the floor is reached. */
  shortage: string[]
}

export interface Total {
  class: LogFile['class']
  action: FileDecision['action']
  rule: Rule
  files: number
  bytes: number
}

/** What a retention would do. `planRetention` only reads; `applyPlan` executes the plan. */
export interface RetentionPlan {
  clock: Clock
  policy: RetentionPolicy
  /** Real paths. */
  workspaces: { workspace: string; hold?: ActiveHold }[]
  ignoreHold: boolean
  files: FileDecision[]
  totals: Total[]
  floors: Floor[]
  /** What could not be read or was refused, in sentences. */
  problems: string[]
  /** What a person should know, in sentences. */
  notes: string[]
}

export interface FileOutcome {
  file: FileDecision
  /** `changed`: a guard or a hold protects the file now, or the file is not the one of the plan, so it was left. */
  outcome: 'removed' | 'changed' | 'gone' | 'failed'
  /** Why the file was not removed. */
  why?: string
}

export interface RetentionReport {
  outcomes: FileOutcome[]
  /** The floors after the removals. */
  floors: Floor[]
  problems: string[]
}

export interface ApplyOptions {
  log?: Log
  /** Stops between two batches of files; the next plan does the rest. */
  signal?: AbortSignal
}
