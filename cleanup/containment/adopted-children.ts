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
 * Records the processes that an agent's subreaper has adopted. When the subreaper itself is killed, they go to process 1,
 * and this record may be the only tie to the agent. Costs one small read per agent and round. The file lies beside the
 * prompt; the subreaper's shell writes to it as well.
 */
export class AdoptedChildren {
  readonly #recorded = new Map<string, readonly number[]>()

  note(key: string, ref: AgentRef, entry: AgentEntry): void {
    const subreaper = recordedSubreaper(entry)
    if (!subreaper) return
    // The first child is the shell that the subreaper started; the subreaper ends with it. The others are adopted.
    const adopted = (childrenOf(subreaper.pid) ?? []).slice(1)
    const before = this.#recorded.get(key) ?? []
    const fresh = adopted.filter(pid => !before.includes(pid))
    if (fresh.length > 0 && !write(ref, entry, fresh)) return
    if (fresh.length > 0 || adopted.length < before.length) this.#recorded.set(key, adopted)
  }

  forget(key: string): void {
    this.#recorded.delete(key)
  }
}

/** Returns false when the next round must try again. */
function write(ref: AgentRef, entry: AgentEntry, pids: number[]): boolean {
  try {
    // A cleaner holds this lock while it works. A record written after it would be left behind.
    using held = lockNow(agentLockFile(ref), agentByte(ref.agentId))
    if (!held || isTerminal(readAgent(ref).status)) return false
    const lines = pids.map(pid => ({ pid, start: startOf(pid) })).filter(({ start }) => start !== undefined)
    // Checked last, because the registry may name any process: while this is the agent's subreaper, its children are the agent's.
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
