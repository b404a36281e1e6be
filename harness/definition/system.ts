import type { DeclaredFileClass, Ending, LoadItem as WrittenLoadItem } from './definition.ts'

/**
 * A definition that was checked, as plain JSON: the rig, the probe and the verdict know of a system only this. Functions
 * are named by their module, and patterns by their source.
 */
export interface System {
  name: string
  server?: PlannedServer
  env: Record<string, string>
  prepare: PlannedCall[]
  deploy: PlannedCall[]
  kill?: PlannedCall[]
  list?: PlannedList
  inside?: PlannedInsideCall
  outside?: PlannedCall[]
  /** Claude's exit is the completion. The calls that are made after it: none where the system notices it by itself. */
  exit?: PlannedCall[]
  recover?: PlannedCall[]
  recoversByItself: boolean
  maxAgents?: number
  tmux: 'session' | 'pane' | false
  directives: 'prompt' | 'environment' | 'orders'
  covers: string[]
  onStart?: string
  startsWithinMs?: number
  load: LoadItem[]
  layout: Layout
  keeps: Kept[]
  statuses: Partial<Record<Ending, string>>
  logs?: PlannedLogs
  mounts: string[]
  image?: string
  install?: { run: string; inputs: string[]; cwd: string }
  /** The folder of the configuration; undefined for a system of our own. */
  project?: string
}

/** A regular expression as JSON. */
export interface PatternSource {
  source: string
  flags: string
}

/** The expression of a source; the same object each time, because snapshots test many paths. */
export function patternOf({ source, flags }: PatternSource): RegExp {
  const key = `${flags}/${source}`
  const known = patterns.get(key) ?? new RegExp(source, flags)
  patterns.set(key, known)
  return known
}
const patterns = new Map<string, RegExp>()

interface PlannedServer {
  command: string[]
  env: Record<string, string>
  cwd?: string
}

/** Values in an answer: by JSON pointers, or by the named groups of a pattern. */
export type ResultSource = { pointers: Record<string, string> } | { pattern: PatternSource }

export type PlannedCall = (
  | { kind: 'tool'; tool: string; args: Record<string, unknown> }
  | { kind: 'shell'; run: string; cwd?: string; env: Record<string, string> }
  | { kind: 'read'; read: string }
  /** `path` leads from the module's exports to the function. */
  | { kind: 'function'; module: string; path: (string | number)[] }
) & { timeoutMs: number; result?: ResultSource; failedWhen?: PatternSource }

export interface PlannedList {
  call: PlannedCall
  each: PatternSource
}

export type PlannedInsideCall =
  | { tool: string; args: Record<string, unknown> }
  | { run: string; env: Record<string, string> }

export type LoadItem = Exclude<WrittenLoadItem, { open: unknown }> | { open: PatternSource }

export interface Kept {
  path: PatternSource
  why: string
}

/** What a system's files are, as far as a snapshot tells them apart. */
export interface Layout {
  files: { path: PatternSource; class: DeclaredFileClass }[]
  registries: PlannedRegistry[]
}

export interface PlannedRegistry {
  name: string
  path: PatternSource
  agents: string
  id: string
  status: string
  reason?: string
  active?: string
}

export interface PlannedLogs {
  live: string
  archived?: string
  records: { archived: string; tool: string }[]
}
