import { setTimeout as sleep } from 'node:timers/promises'
import { logWriters, writerElsewhere } from '../claims/log-writers.ts'
import type { ProvenSession } from '../claims/which-server.ts'
import { pipelineShell } from '../containment/pane-shell.ts'
import { statAt } from '../platform/files/stat-at.ts'
import { tellsOpenFiles } from '../platform/processes/open-files.ts'
import { type Machine, readMachine } from '../platform/processes/table.ts'
import { agentFiles } from '../registry/agent-files.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { type AgentRef, workspaceOfLog } from '../registry/layout.ts'
import { recordedInode } from '../registry/log-inode.ts'
import { filesOfLog } from '../registry/log-parts.ts'
import { isYoung } from '../registry/timestamps.ts'
import type { AgentPane, TmuxLocation } from '../tmux/locate.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { type IdleShell, readIdleShell } from './idle-shell.ts'

/** How old an agent must be whose log is empty or missing, in ms. Before that, its claude may be about to start. */
const START_MS = 60_000
/** How often the shells are read while they become quiet, in ms. */
const STEP_MS = 20
/** How long the shells get beyond the quiet time that they need, in ms: a new shell runs its startup files first. */
const SETTLE_MS = 300

/** Since when an agent's panes have not changed. Who checks repeatedly keeps it, so that no single check waits for long. */
export interface QuietPeriod {
  /** What the panes and the log looked like. */
  fingerprint: string
  /** By the monotonic clock, in ms. */
  since: number
  /** By the same clock, until when the agent counts as young; undefined before the first check. */
  youngUntil?: number
  /** True when something of the agent has just ended. The rest may be about to end too, and is waited for. */
  isAwaited?: boolean
  /** True once the agent was seen here: then it has ended when it is not seen any more. */
  wasSeen?: boolean
  /** Its session, once more than the name has shown that it is the agent's. */
  proven?: ProvenSession | undefined
  /** The open files of the machine, read after the period began. Large, so it is dropped after each check. */
  machine?: Promise<Machine>
}

export const newQuietPeriod = (): QuietPeriod => ({ fingerprint: '', since: 0 })

/**
 * Tells in plain words that an agent's claude has left its panes, which live on (`; exec $SHELL`); undefined when that
 * is not certain. It is certain when every pane holds a shell that runs nothing, the agent's log was begun, no process
 * has the log open for writing, and the shells were not scheduled for a while. Where open files cannot be read it is
 * never certain. Without a `known` period the function waits until it is certain; with one it waits for a moment, and the
 * next check goes on from there.
 */
export async function detectAbandonedPane(
  ref: AgentRef,
  entry: AgentEntry,
  location: TmuxLocation,
  known?: QuietPeriod,
): Promise<string | undefined> {
  const log = agentFiles(ref, entry).stream
  const read = () => readPanes(location.panes, entry, log)
  const first = read()
  const quiet = known ?? newQuietPeriod()
  const isStarting = mayBeStarting(entry, quiet) && !sizeOf(log)
  if (!tellsOpenFiles || isStarting || !(first || quiet.isAwaited)) return undefined
  const quietMs = known ? 0 : (first?.quietMs ?? 0)
  if (!(await stayedQuiet(read, quiet, SETTLE_MS + quietMs))) return undefined
  const { openFiles } = await (quiet.machine ?? readMachine())
  if (logWriters(openFiles, log).length > 0 || writerElsewhere(openFiles, entry, log)) return undefined
  if (read()?.fingerprint !== quiet.fingerprint) return undefined
  return 'nothing runs below the shell of its pane any more, and no process writes its log'
}

/** Starts the period while tmux is still being queried for the panes: usually there is one, the recorded one. */
export function startQuietPeriod(ref: AgentRef, entry: AgentEntry, quiet: QuietPeriod): void {
  quiet.isAwaited = true
  const pid = recordedTmux(entry)?.pane_pid
  const now = pid && readPanes([{ pid, dead: false }], entry, agentFiles(ref, entry).stream)
  if (!now) return
  restartIfChanged(quiet, now)
  if (now.quietMs > SETTLE_MS) return
  quiet.machine = readMachine()
  // Whoever awaits it gets the error.
  quiet.machine.catch(() => {})
}

/** True once the panes have not changed for as long as they must. */
async function stayedQuiet(
  read: () => IdleShell | undefined,
  quiet: QuietPeriod,
  withinMs: number,
): Promise<boolean> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const now = read()
    if (now) restartIfChanged(quiet, now)
    else if (!quiet.isAwaited) return false
    if (now?.isAsleep && performance.now() - quiet.since >= now.quietMs) return true
    if (performance.now() > deadline) return false
    await sleep(STEP_MS)
  }
}

function restartIfChanged(quiet: QuietPeriod, { fingerprint, isAsleep }: IdleShell): void {
  if (isAsleep && fingerprint === quiet.fingerprint) return
  Object.assign(quiet, { fingerprint, since: performance.now() })
  delete quiet.machine
}

/** All panes and the log as if they were one shell; undefined when a pane runs something, or when there never was a log. */
function readPanes(
  panes: readonly Pick<AgentPane, 'pid' | 'dead'>[],
  entry: AgentEntry,
  log: string,
): IdleShell | undefined {
  const shells = panes.filter(({ dead }) => !dead).map(({ pid }) => readIdleShell(pipelineShell(pid, entry)))
  if (panes.length === 0 || !shells.every(shell => shell !== undefined)) return undefined
  const size = sizeOf(log)
  if (size === undefined && !wasBegun(entry, log)) return undefined
  return {
    fingerprint: [size, ...shells.map(({ fingerprint }) => fingerprint)].join(', '),
    isAsleep: shells.every(({ isAsleep }) => isAsleep),
    quietMs: Math.max(0, ...shells.map(({ quietMs }) => quietMs)),
  }
}

/** True for a log that is gone from its path: the deploy created it, or parts of it lie beside the path. */
const wasBegun = (entry: AgentEntry, log: string): boolean =>
  recordedInode(entry) !== undefined || filesOfLog(workspaceOfLog(log), log).length > 0

function sizeOf(file: string): number | undefined {
  return statAt(file)?.size
}

/** The wall clock decides at the first check only, because somebody may set it afterwards. */
function mayBeStarting({ started_at }: AgentEntry, quiet: QuietPeriod): boolean {
  quiet.youngUntil ??= performance.now() + (isYoung(started_at, START_MS) ? START_MS : 0)
  return performance.now() < quiet.youngUntil
}
