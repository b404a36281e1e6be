import { recordedShell } from '../containment/pane-shell.ts'
import { childrenOf } from '../platform/processes/children.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { readProcess } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { recordedTmux } from '../tmux/recorded.ts'

/**
 * Tells by one read of /proc whether an agent may have ended: cheap enough for every agent several times a second. It
 * is only a reason to look closer; tmux is asked before anything is concluded.
 */
export class Pulses {
  /** What the registry does not say of an agent's pane process. */
  readonly #starts = new Map<string, number>()
  /** Below whose pane's shell something was seen to run. */
  readonly #busy = new Set<string>()
  readonly #withoutTerminal = new Set<string>()

  /** False also where no place in tmux is recorded: such an agent is still being deployed, or somebody else's. */
  mayHaveEnded(key: string, entry: AgentEntry): boolean {
    const recorded = recordedTmux(entry)
    if (!recorded) return false
    const now = readProcess(recorded.pane_pid)
    if (!now || hasEnded(now)) return true
    const start = recorded.pane_start ?? this.#starts.get(key) ?? now.start
    this.#starts.set(key, start)
    // A pane's process is the child of its tmux server; with another parent its server has gone, or it is somebody else.
    if (now.start !== start || now.ppid !== recorded.server_pid) return true
    // A session that is killed hangs up its terminal; a process that ignores that stays, without one.
    return (now.tty === 0 && !this.#withoutTerminal.has(key)) || this.#hasComeToRest(key, entry)
  }

  /** Something ran below the pane's shell, and now nothing does: a claude whose pane outlives it has left. */
  #hasComeToRest(key: string, entry: AgentEntry): boolean {
    const below = childrenOf(recordedShell(entry) ?? 0)
    if (below === undefined) return false
    if (below.length > 0) this.#busy.add(key)
    return below.length === 0 && this.#busy.has(key)
  }

  /** A closer look found the agent alive: a pane process may have given up its terminal by itself. */
  isAlive(key: string): void {
    this.#withoutTerminal.add(key)
    this.#busy.delete(key)
  }

  forget(key: string): void {
    this.#starts.delete(key)
    this.#withoutTerminal.delete(key)
    this.#busy.delete(key)
  }
}
