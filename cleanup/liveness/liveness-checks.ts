import { recordedShell } from '../containment/pane-shell.ts'
import { childrenOf } from '../platform/processes/children.ts'
import { isGone } from '../platform/processes/signals.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { readProcess } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { terminalOf } from './terminal-watch.ts'

/** How long a new agent's pane is searched for its claude at every quick check, in ms: claude starts after the pane. */
const STARTING_MS = 5_000

/**
 * Cheap checks that tell whether one agent may have ended: a few signals with number 0, and a few reads of /proc. A hit
 * is only a reason for the full check (detect-end.ts), which queries tmux before anything is concluded.
 */
export class LivenessChecks {
  /** Since when it is watched, by the monotonic clock. */
  #since = Number.NEGATIVE_INFINITY
  /** The pane's process, and after it one process that runs below the pane's shell. Empty where no place in tmux is recorded. */
  #pids: number[] = []
  /** The file name of the pane's terminal below /dev/pts. */
  #terminal: string | undefined
  /** What the entry says about where the agent runs. */
  #place: string | undefined
  /** The start time of the pane's process, where the registry has none. */
  #paneStart: number | undefined
  /** True once something was seen to run below the pane's shell. */
  #wasBusy = false
  /** The recorded process of the pane, once the agent was found alive without it (`respawn-pane`): only the closer check looks after such a pane. */
  #outlived: number | undefined
  /** True once the agent was found alive although its pane's process has no terminal: it gave that up itself. */
  #isWithoutTerminal = false

  /** Reads anew by which processes and which terminal the agent is known to live. */
  watch(entry: AgentEntry): void {
    if (this.#place === undefined) this.#since = performance.now()
    const recorded = recordedTmux(entry)
    this.#pids =
      recorded && recorded.pane_pid !== this.#outlived ? [recorded.pane_pid, ...runnerOf(entry)] : []
    // Read once: a terminal that has gone already sends no further event.
    this.#terminal ??= recorded && terminalOf(recorded.pane_pid)
    this.#place = placeOf(entry)
  }

  /**
   * To be called when the registry was written. Only a new place starts the watch anew, and not while a watched process
   * is gone: no full check may have seen that yet.
   */
  entryChanged(entry: AgentEntry): void {
    if (this.#place !== placeOf(entry) && !this.#pids.some(isGone)) this.watch(entry)
  }

  /** To be called when the agent's end is on disk. */
  stop(): void {
    this.#pids = []
    this.#terminal = undefined
    this.#place = undefined
  }

  /** To be called when a full check found the agent alive. */
  confirmAlive(entry: AgentEntry): void {
    this.#isWithoutTerminal = true
    this.#wasBusy = false
    const pid = recordedTmux(entry)?.pane_pid
    if (pid !== undefined && isGone(pid)) this.#outlived = pid
    this.watch(entry)
  }

  /** Signal 0 to the agent's runner: the cheapest check, made several times a second. The terminal reports for the pane. */
  isRunnerGone(): boolean {
    return isGone(this.#pids.at(-1) ?? process.pid)
  }

  /** True while its runner is known and runs. */
  get isRunning(): boolean {
    return this.#pids.length > 0 && !this.isRunnerGone()
  }

  /** The quick check. `terminals` are the names of the terminals that came or went since the last one. */
  mayHaveEnded(entry: AgentEntry, terminals: ReadonlySet<string>): boolean {
    if (this.#place === undefined) return false
    if (this.#terminal !== undefined && terminals.has(this.#terminal)) return true
    // The place of this agent is not recorded, so any terminal may have been its own.
    if (this.#pids.length === 0) return terminals.size > 0
    if (this.#pids.length === 1 && performance.now() - this.#since < STARTING_MS) this.watch(entry)
    return this.#pids.some(isGone)
  }

  /**
   * The closer check, one read of the pane's process and one of its children. False where no place in tmux is recorded:
   * that agent is still being deployed, or another orchestrator deployed it.
   */
  mayHaveLeftPane(entry: AgentEntry): boolean {
    if (this.#pids.length === 1) this.watch(entry)
    const recorded = recordedTmux(entry)
    if (!recorded) return false
    const now = readProcess(recorded.pane_pid)
    if (!now || hasEnded(now)) return true
    this.#paneStart ??= now.start
    // A pane's process is a child of its tmux server. With another parent the server has ended, or the pid was reused.
    if (now.start !== (recorded.pane_start ?? this.#paneStart) || now.ppid !== recorded.server_pid)
      return true
    // Killing a session hangs up its terminal. A process that ignores the hang-up stays, without a terminal.
    return (now.tty === 0 && !this.#isWithoutTerminal) || this.#hasBecomeIdle(entry)
  }

  /** Something ran below the pane's shell, and now nothing does: claude has left a pane that outlives it. */
  #hasBecomeIdle(entry: AgentEntry): boolean {
    const running = childrenOf(recordedShell(entry) ?? 0)
    if (running === undefined) return false
    if (running.length > 0) this.#wasBusy = true
    return running.length === 0 && this.#wasBusy
  }
}

const placeOf = ({ tmux, contained }: AgentEntry): string => JSON.stringify([tmux, contained])

/**
 * One of the processes below the pane's shell. All of them must have ended before the pane is idle, so any one will do.
 * The last one reads the pipeline's output, and ends after the rest of it.
 */
const runnerOf = (entry: AgentEntry): number[] => childrenOf(recordedShell(entry) ?? 0)?.slice(-1) ?? []
