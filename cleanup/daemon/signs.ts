import type { AgentEntry } from '../workspace/registry-types.ts'
import { terminalOf } from './terminal-watch.ts'
import { isGone, pidsOf } from './watched-pids.ts'

interface Known {
  pids: number[]
  terminal: string | undefined
}

/**
 * Tells at a glance whether an agent may have ended: a process of it is gone, or its terminal. It is only a reason to
 * look closer; tmux is asked before anything is concluded.
 */
export class Signs {
  readonly #known = new Map<string, Known>()

  /** Notes by what an agent is known to live. To be called whenever its entry was read anew. */
  know(key: string, entry: AgentEntry): void {
    const pids = pidsOf(entry)
    const known = this.#known.get(key)
    // A terminal is read once: of one that has gone already there is nothing to be heard.
    const terminal = known?.terminal ?? (pids[0] === undefined ? undefined : terminalOf(pids[0]))
    this.#known.set(key, { pids, terminal })
  }

  areOfAnEnd(key: string, terminals: ReadonlySet<string>): boolean {
    const { pids, terminal } = this.#known.get(key) ?? { pids: [], terminal: undefined }
    if (terminal !== undefined && terminals.has(terminal)) return true
    // Of an agent whose place nobody recorded any terminal may have been the one.
    if (pids.length === 0) return terminals.size > 0
    return pids.some(isGone)
  }

  forget(key: string): void {
    this.#known.delete(key)
  }
}
