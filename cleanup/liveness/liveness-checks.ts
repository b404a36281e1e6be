import { recordedShell } from '../containment/pane-shell.ts'
import { childrenOf } from '../platform/processes/children.ts'
import { isGone } from '../platform/processes/signals.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { terminalOf } from './terminal-watch.ts'

interface Known {
  since: number
  pids: number[]
  terminal: string | undefined
  /** What its entry says of where it runs. */
  place: string
}

/** How long a new agent's pane is asked for its claude with every glance, in ms: it starts some time after the pane. */
const STARTING_MS = 5_000

/**
 * Tells at a glance whether an agent may have ended: a process of it is gone, or its terminal. It is only a reason to
 * look closer; tmux is asked before anything is concluded.
 */
export class Signs {
  readonly #known = new Map<string, Known>()

  /** Notes by what an agent is known to live. To be called whenever its entry was read anew. */
  know(key: string, entry: AgentEntry): void {
    const recorded = recordedTmux(entry)
    const known = this.#known.get(key)
    const pids = recorded ? [recorded.pane_pid, ...runBy(entry)] : []
    // A terminal is read once: of one that has gone already there is nothing to be heard.
    const terminal = known?.terminal ?? (recorded && terminalOf(recorded.pane_pid))
    const since = known?.since ?? performance.now()
    this.#known.set(key, { since, pids, terminal, place: placeOf(entry) })
  }

  /**
   * The same when its registry has changed, for the sake of a new place. Of a process that is gone is not forgotten that it
   * ran: nobody may have looked yet.
   */
  renew(key: string, entry: AgentEntry): void {
    const known = this.#known.get(key)
    if (known?.place !== placeOf(entry) && !known?.pids.some(isGone)) this.know(key, entry)
  }

  /** For a closer look: claude may have started late. */
  look(key: string, entry: AgentEntry): void {
    if (this.#known.get(key)?.pids.length === 1) this.know(key, entry)
  }

  areOfAnEnd(key: string, entry: AgentEntry, terminals: ReadonlySet<string>): boolean {
    const known = this.#known.get(key)
    if (!known) return false
    const { since, pids, terminal } = known
    if (terminal !== undefined && terminals.has(terminal)) return true
    // Of an agent whose place nobody recorded any terminal may have been the one.
    if (pids.length === 0) return terminals.size > 0
    if (pids.length === 1 && performance.now() - since < STARTING_MS) this.know(key, entry)
    return pids.some(isGone)
  }

  /**
   * Whether any agent's claude may be gone: one signal for each, so that it can be asked often. Of the pane's process
   * its terminal tells in time.
   */
  isAnyGone(): boolean {
    for (const { pids } of this.#known.values()) if (isGone(pids.at(-1) ?? process.pid)) return true
    return false
  }

  forget(key: string): void {
    this.#known.delete(key)
  }
}

const placeOf = ({ tmux, contained }: AgentEntry): string => JSON.stringify([tmux, contained])

/**
 * One of those that run below the shell of its pane: all must have ended before it is at rest, so each is as good as
 * another. The last one is who reads the output, and ends after the rest of the pipeline.
 */
function runBy(entry: AgentEntry): number[] {
  return childrenOf(recordedShell(entry) ?? 0)?.slice(-1) ?? []
}
