import fs from 'node:fs'
import { openRegular } from '../platform/files/regular-file.ts'
import { within } from '../platform/files/within.ts'
import { childrenOf } from '../platform/processes/children.ts'
import { startOf } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { type AgentRef, adoptedChildrenFile } from '../registry/layout.ts'
import { isTerminal } from '../registry/lifecycle.ts'
import { agentByte, agentLockFile, lockNow } from '../registry/locks.ts'
import { readAgent } from '../registry/registry.ts'
import { recordedSubreaper } from './recorded.ts'
import { subreaperOf } from './subreaper.ts'

const { O_APPEND, O_CREAT, O_WRONLY } = fs.constants

/**
 * Records which processes one agent's subreaper has adopted, for the cleanup after somebody has killed the subreaper
 * itself: its adopted children then go to process 1, and nothing else may tie them to the agent. It costs one small read
 * per call. The record lies beside the prompt, where the subreaper's shell writes too.
 */
export class AdoptedChildren {
  #recorded: readonly number[] = []

  record(ref: AgentRef, entry: AgentEntry): void {
    const subreaper = recordedSubreaper(entry)
    if (!subreaper) return
    // The first child is the subreaper's own as long as it lives; when it ends, so does the subreaper.
    const adopted = (childrenOf(subreaper.pid) ?? []).slice(1)
    const fresh = adopted.filter(pid => !this.#recorded.includes(pid))
    if (fresh.length > 0 && !write(ref, entry, fresh)) return
    if (fresh.length > 0 || adopted.length < this.#recorded.length) this.#recorded = adopted
  }
}

/** False when the record was not written and is to be tried again. */
function write(ref: AgentRef, entry: AgentEntry, pids: number[]): boolean {
  try {
    // A cleaner holds this lock. A record that is written after the cleanup would be left behind.
    using held = lockNow(agentLockFile(ref), agentByte(ref.agentId))
    if (!held || isTerminal(readAgent(ref).status)) return false
    const lines = pids.map(pid => ({ pid, start: startOf(pid) })).filter(({ start }) => start !== undefined)
    // Checked last: the children are the agent's only while this is its subreaper. The registry may name any process.
    if (!subreaperOf(ref, entry)) return false
    append(ref, lines.map(({ pid, start }) => `${pid} ${start}\n`).join(''))
    return true
  } catch {
    return false
  }
}

function append(ref: AgentRef, text: string): void {
  const flags = O_WRONLY | O_APPEND | O_CREAT
  const fd = within(ref.workspace, adoptedChildrenFile(ref), (at, owner) => openRegular(at, owner, flags))
  try {
    fs.writeSync(fd, text)
  } finally {
    fs.closeSync(fd)
  }
}
