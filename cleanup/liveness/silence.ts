import fs from 'node:fs'
import { writerElsewhere } from '../claims/log-writers.ts'
import { attempt } from '../errors.ts'
import { textOf } from '../platform/files/json.ts'
import { statAt } from '../platform/files/stat-at.ts'
import { type Descriptor, inodeOfDescriptor } from '../platform/processes/open-files.ts'
import { readMachine } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { isTerminal } from '../registry/lifecycle.ts'
import { inodeText } from '../registry/log-inode.ts'
import { changeTask, requireAgent } from '../registry/registry.ts'

/** How an agent's silence has changed: it has just become too long, it lasts, or it was broken. */
export type SilenceChange = 'begins' | 'lasts' | 'ends'

/**
 * Measures for how long one agent has been silent: no output in its log, and no update of its entry by anybody. Both are
 * compared with the last check, so setting the clock makes no agent silent.
 */
export class Silence {
  readonly #afterMs: number
  #fingerprint: string | undefined
  #entry: AgentEntry | undefined
  /** Since when nothing has changed, by the monotonic clock. */
  #since = Number.NEGATIVE_INFINITY
  /** By what the log is written, when that is not the file at its path any more. */
  #elsewhere: (Descriptor & { inode: string }) | undefined
  /** True when the agent's entry says that it is silent. */
  #isMarked = false

  constructor(afterMs: number) {
    this.#afterMs = afterMs
  }

  /** Compares the log and the entry with the last check. Undefined while all is well. */
  check(entry: AgentEntry, log: string): SilenceChange | undefined {
    const fingerprint = `${fingerprintOf(log)}, ${this.#fingerprintElsewhere()}`
    if (this.#fingerprint === undefined) this.#begin(entry, log)
    else if (fingerprint !== this.#fingerprint || this.#hasNewFields(entry)) this.#since = performance.now()
    this.#fingerprint = fingerprint
    this.#entry = entry
    const isLong = performance.now() - this.#since >= this.#afterMs
    if (this.#isMarked) return isLong ? 'lasts' : 'ends'
    return isLong ? 'begins' : undefined
  }

  /**
   * To be called when a silence begins: false when it does. True when the log's writer was found to write another file than the
   * one at the log's path, because somebody has moved or deleted that. Then the checks follow the writer, from now on.
   */
  async follow(entry: AgentEntry, log: string): Promise<boolean> {
    if (this.#elsewhere) return false
    const writer = writerElsewhere((await readMachine()).openFiles, entry, log)
    const inode = writer && inodeOfDescriptor(writer)
    if (!inode) return false
    this.#elsewhere = { ...writer, inode }
    this.#since = performance.now()
    return true
  }

  #fingerprintElsewhere(): string {
    if (!this.#elsewhere) return 'none'
    const { pid, fd, inode } = this.#elsewhere
    // The pid may be another user's by now.
    const stat = attempt(
      () => fs.statSync(`/proc/${pid}/fd/${fd}`, { bigint: true }),
      () => {},
    )
    if (stat && inodeText(stat) === inode) return `${stat.size} ${stat.mtimeNs}`
    this.#elsewhere = undefined
    return 'none'
  }

  /** To be called once the entry says so. Until then every check returns the same change. */
  marked(isMarked: boolean): void {
    this.#isMarked = isMarked
  }

  /** An earlier daemon may have marked the agent, and may have been down while the agent wrote something. */
  #begin(entry: AgentEntry, log: string): void {
    this.#isMarked = entry.silent_since !== undefined
    const lasts = this.#isMarked && !wasWrittenAfter(log, entry.silent_since)
    this.#since = performance.now() - (lasts ? this.#afterMs : 0)
  }

  #hasNewFields(entry: AgentEntry): boolean {
    return entry !== this.#entry && withoutMark(entry) !== withoutMark(this.#entry)
  }
}

/**
 * Writes into an agent's entry since when the agent is silent, or with undefined takes that back. `last_update` stays as it
 * is, because the mark does not show that the agent lives.
 */
export function markSilence(ref: AgentRef, since: Date | undefined): Promise<void> {
  return changeTask(ref.workspace, ref.taskId, registry => {
    const entry = requireAgent(registry, ref)
    if (isTerminal(entry.status)) return
    if (since) entry.silent_since = since.toISOString()
    else delete entry.silent_since
  })
}

function fingerprintOf(log: string): string {
  const stat = statAt(log)
  return stat ? `${stat.size} ${stat.mtimeMs}` : 'none'
}

function withoutMark(entry: AgentEntry | undefined): string {
  const { silent_since: _, ...fields }: Partial<AgentEntry> = entry ?? {}
  return JSON.stringify(fields)
}

function wasWrittenAfter(log: string, since: unknown): boolean {
  const stat = statAt(log)
  return stat !== undefined && stat.mtimeMs > Date.parse(textOf(since))
}
