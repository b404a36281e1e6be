import fs from 'node:fs'
import type { AgentRef } from '../workspace/layout.ts'
import { changeTask, requireAgent } from '../workspace/registry.ts'
import type { AgentEntry } from '../workspace/registry-types.ts'

interface Known {
  /** What was last seen of the agent: its log's size and time, and its entry. */
  sign: string
  entry: AgentEntry
  /** Since when that has not changed, by a clock that nobody can set. */
  at: number
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
      // An earlier daemon has marked it, and may have been gone while it spoke.
      const isMarked = entry.silent_since !== undefined && !spokeAfter(log, entry.silent_since)
      this.#known.set(key, { sign, entry, at: performance.now(), isMarked })
      return entry.silent_since !== undefined && !isMarked ? 'ends' : undefined
    }
    if (sign !== known.sign || (entry !== known.entry && saysMore(entry, known.entry))) {
      const wasMarked = known.isMarked
      Object.assign(known, { sign, entry, at: performance.now(), isMarked: false })
      return wasMarked ? 'ends' : undefined
    }
    known.entry = entry
    const isLong = performance.now() - known.at >= this.#afterMs
    if (known.isMarked) return isLong ? 'lasts' : undefined
    known.isMarked = isLong
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
  return stat !== undefined && stat.mtimeMs > Date.parse(String(since))
}
