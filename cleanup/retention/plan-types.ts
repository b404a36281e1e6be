import type { LogLine } from '../log.ts'
import type { LogClass } from './classes.ts'
import type { Clock } from './clock.ts'
import type { HoldFound } from './hold.ts'
import type { RetentionPolicy } from './policy.ts'

/** The folders of a task in which retention looks. */
export type TaskPart = 'archive' | 'logs' | 'progress' | 'findings'

/** Why a file goes or stays. */
export type Rule =
  // Must not be touched.
  | 'unknown'
  | 'not-a-file'
  | 'not-archived'
  | 'registry-unreadable'
  | 'live'
  | 'pending'
  | 'unlisted'
  | 'open'
  // Could go, and stays.
  | 'hold'
  | 'young'
  | 'keep-last'
  | 'clock'
  | 'time'
  // Goes.
  | 'keep-days'
  | 'max-bytes'
  | 'min-free'
  | 'leftover'
  // Stays, in a smaller form.
  | 'compress'

/** A file as it was seen. */
export interface SeenFile {
  workspace: string
  taskId: string
  part: TaskPart
  name: string
  class: LogClass | 'unknown'
  agentId?: string
  packed: boolean
  draft: boolean
  /** What it is, in words: `a file`, `a FIFO` ... */
  kind: string
  bytes: number
  /** What its removal frees, in bytes; 0 when it has another name as well. */
  freesBytes: number
  mtimeMs: number
  /** Device and inode: who has it open is told by these, whatever its name was. */
  inode: string
  /** Device, inode, size and time of the last write: another file or another content has another one. */
  identity: string
  /** The number of the file system that holds its folder. */
  device: string
}

/** A file with what is to happen to it, by which rule, and why in words. */
export interface PlannedFile extends SeenFile {
  action: 'remove' | 'compress' | 'keep' | 'leave'
  rule: Rule
  why: string
  /** When it was put away, by the wall clock in ms; absent when its time cannot be right. */
  sinceMs?: number
}

/** One file system, and how the disk floor stands there. */
export interface Floor {
  device: string
  /** A folder on it. */
  folder: string
  wantedBytes: number
  /** Free for everybody (not only for root) when the plan was made. */
  freeBytes: number
  /** What the plan's removals free there, by all rules. */
  freesBytes: number
  totalBytes: number
  /** Why the floor is not reached, and what takes the most space; empty when it is. */
  shortage: string[]
}

export interface Total {
  class: LogClass | 'unknown'
  action: PlannedFile['action']
  rule: Rule
  files: number
  bytes: number
}

/** What a retention would do. Reading only went into it; `applyPlan` does it. */
export interface RetentionPlan {
  clock: Clock
  workspaces: { workspace: string; policy: RetentionPolicy; hold?: HoldFound }[]
  ignoreHold: boolean
  files: PlannedFile[]
  totals: Total[]
  floors: Floor[]
  /** What could not be read or was refused, in sentences. */
  problems: string[]
  /** What a person should know. */
  notes: string[]
}

export interface FileOutcome {
  file: PlannedFile
  /** `changed`: it is not what the plan saw any more, or must not be touched any more, and was left. */
  outcome: 'removed' | 'compressed' | 'changed' | 'gone' | 'failed'
  /** Why it was left. */
  why?: string
  /** The name of the compressed file beside it. */
  to?: string
  /** How much smaller the archives are because of it, in bytes. */
  savedBytes: number
}

/** What was done of a plan. */
export interface RetentionReport {
  outcomes: FileOutcome[]
  /** The floors as they stand now. */
  floors: Floor[]
  problems: string[]
  ms: number
}

export interface ApplyOptions {
  log?: (line: LogLine) => void
  /** Stops between two files; what is done is done, and the next plan goes on. */
  signal?: AbortSignal
}
