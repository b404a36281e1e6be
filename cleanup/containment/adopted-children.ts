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
 * Notes whom an agent's subreaper has adopted, for whoever cleans up after somebody has killed the subreaper itself:
 * then those orphans go to process 1, and nothing else may tie them to the agent. One small read per agent and
 * round; what was noted lies beside the prompt, where the subreaper's shell writes too.
 */
export class AdoptedChildren {
  readonly #noted = new Map<string, readonly number[]>()

  note(key: string, ref: AgentRef, entry: AgentEntry): void {
    const subreaper = recordedSubreaper(entry)
    if (!subreaper) return
    // The first is the subreaper's own child, as long as it lives; when it ends, so does the subreaper.
    const adopted = (childrenOf(subreaper.pid) ?? []).slice(1)
    const known = this.#noted.get(key) ?? []
    const fresh = adopted.filter(pid => !known.includes(pid))
    if (fresh.length > 0 && !write(ref, entry, fresh)) return
    if (fresh.length > 0 || adopted.length < known.length) this.#noted.set(key, adopted)
  }

  forget(key: string): void {
    this.#noted.delete(key)
  }
}

/** False when it is to be tried again. */
function write(ref: AgentRef, entry: AgentEntry, pids: number[]): boolean {
  try {
    // Whoever cleans up holds this lock: after that, a note would be left behind.
    using held = lockNow(agentLockFile(ref), agentByte(ref.agentId))
    if (!held || isTerminal(readAgent(ref).status)) return false
    const lines = pids.map(pid => ({ pid, start: startOf(pid) })).filter(({ start }) => start !== undefined)
    // Looked at last: as long as it is the subreaper, so are its children the agent's. The registry may name any process.
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
