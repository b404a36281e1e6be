import fs from 'node:fs'
import { textOf } from '../platform/files/json.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { isTerminal } from '../registry/lifecycle.ts'
import { changeTask, requireAgent } from '../registry/registry.ts'

interface Known {
  /** What was last seen of the agent: its log's size and time, and its entry. */
  sign: string
  entry: AgentEntry
  /** Since when that has not changed, by a clock that nobody can set. */
  at: number
  /** Whether its entry says that it is silent. */
  isMarked: boolean
}

/** What became of an agent's silence: it has just become too long, lasts, or was broken. */
export type Silence = 'begins' | 'lasts' | 'ends'

/**
 * Tells for how long an agent has said nothing: no output in its log, and no update of its entry by anybody. Both are
 * compared with what was seen before, so that a clock that is set makes nobody silent.
 */
export class Silences {
  readonly #afterMs: number
  readonly #known = new Map<string, Known>()

  constructor(afterMs: number) {
    this.#afterMs = afterMs
  }

  /** Looks once. Undefined while all is well. */
  look(key: string, entry: AgentEntry, log: string): Silence | undefined {
    const known = this.#known.get(key)
    const sign = signOf(log)
    if (!known) {
      const isMarked = entry.silent_since !== undefined
      // An earlier daemon has marked it, and may have been gone while it spoke.
      const lasts = isMarked && !spokeAfter(log, entry.silent_since)
      const at = lasts ? performance.now() - this.#afterMs : performance.now()
      this.#known.set(key, { sign, entry, at, isMarked })
      return this.#silenceOf({ at, isMarked })
    }
    if (sign !== known.sign || (entry !== known.entry && saysMore(entry, known.entry)))
      Object.assign(known, { sign, at: performance.now() })
    known.entry = entry
    return this.#silenceOf(known)
  }

  /** To be called when the entry says so; until then the same is found again. */
  marked(key: string, isMarked: boolean): void {
    const known = this.#known.get(key)
    if (known) known.isMarked = isMarked
  }

  #silenceOf({ at, isMarked }: Pick<Known, 'at' | 'isMarked'>): Silence | undefined {
    const isLong = performance.now() - at >= this.#afterMs
    if (isMarked) return isLong ? 'lasts' : 'ends'
    return isLong ? 'begins' : undefined
  }

  forget(key: string): void {
    this.#known.delete(key)
  }
}

/**
 * Writes into an agent's entry since when it is silent, or takes that back. `last_update` stays: to be marked is no
 * sign of life.
 */
export function markSilence(ref: AgentRef, since: Date | undefined): Promise<void> {
  return changeTask(ref.workspace, ref.taskId, registry => {
    const entry = requireAgent(registry, ref)
    if (isTerminal(entry.status)) return
    if (since) entry.silent_since = since.toISOString()
    else delete entry.silent_since
  })
}

function signOf(log: string): string {
  const stat = fs.lstatSync(log, { throwIfNoEntry: false })
  return stat ? `${stat.size} ${stat.mtimeMs}` : 'none'
}

function saysMore(
  { silent_since: _, ...now }: AgentEntry,
  { silent_since: __, ...before }: AgentEntry,
): boolean {
  return JSON.stringify(now) !== JSON.stringify(before)
}

function spokeAfter(log: string, since: unknown): boolean {
  const stat = fs.lstatSync(log, { throwIfNoEntry: false })
  return stat !== undefined && stat.mtimeMs > Date.parse(textOf(since))
}
