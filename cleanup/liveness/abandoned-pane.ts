import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { logWriters } from '../claims/log-writers.ts'
import { below } from '../containment/pane-shell.ts'
import { tellsOpenFiles } from '../platform/processes/open-files.ts'
import { type Machine, readMachine } from '../platform/processes/table.ts'
import { agentFiles } from '../registry/agent-files.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { parseTimestamp } from '../registry/timestamps.ts'
import type { AgentPane, TmuxLocation } from '../tmux/locate.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { type IdleShell, readIdleShell } from './idle-shell.ts'

/** How old an agent must be whose log is still empty, in ms: before that, its claude may be about to start. */
const START_MS = 60_000
/** How often shells are looked at while they come to rest, in ms. */
const STEP_MS = 20
/** How long they are waited for beyond the rest that they need, in ms: a new shell reads and runs its own files first. */
const PATIENCE_MS = 300

/** Since when an agent's panes have shown the same: kept by who looks again later, so that a long rest holds nobody up. */
export interface QuietPeriod {
  sign: string
  /** By a clock that nobody can set, in ms. */
  since: number
  /** By that clock, until when the agent counts as young; undefined before its first look. */
  youngUntil?: number
  /** True when something of the agent has just ended: what still runs may be on its way out, and is waited for. */
  isAwaited?: boolean
  /** Who has which file open, as it was asked for after the rest began; large, and not to be kept. */
  machine?: Promise<Machine>
}

/**
 * In plain words that an agent's claude has left its panes behind, which live on (`; exec $SHELL`); undefined when
 * that is not certain. It is when every pane holds a shell that runs nothing, the agent's log was begun and nobody
 * has it open for writing, and the shells were not even scheduled for a while. Where it cannot be told who has a file
 * open, it is never certain. Without a `known` rest it waits until it is certain; with it, for a moment, and goes on the
 * next time.
 */
export async function detectAbandonedPane(
  ref: AgentRef,
  entry: AgentEntry,
  location: TmuxLocation,
  known?: QuietPeriod,
): Promise<string | undefined> {
  const log = agentFiles(ref, entry).stream
  const look = () => together(location.panes, entry, log)
  const first = look()
  const rest = known ?? { sign: '', since: 0 }
  const isStarting = isYoung(entry, rest) && sizeOf(log) === 0
  if (!tellsOpenFiles || isStarting || !(first || rest.isAwaited)) return undefined
  const restMs = known ? 0 : (first?.restMs ?? 0)
  if (!(await stayedQuiet(look, rest, PATIENCE_MS + restMs))) return undefined
  const { openFiles } = await (rest.machine ?? readMachine())
  if (logWriters(openFiles, log).length > 0 || look()?.sign !== rest.sign) return undefined
  return 'nothing runs any more below the shell of its pane, and nobody writes its log'
}

/** Begins a rest while tmux is being asked what panes there are: mostly it is the one that was recorded. */
export function startQuietPeriod(ref: AgentRef, entry: AgentEntry, rest: QuietPeriod): void {
  rest.isAwaited = true
  const pid = recordedTmux(entry)?.pane_pid
  const now = pid && together([{ pid, dead: false }], entry, agentFiles(ref, entry).stream)
  if (!now) return
  renew(rest, now)
  if (now.restMs > PATIENCE_MS) return
  rest.machine = readMachine()
  // Whoever asks for it gets the error.
  rest.machine.catch(() => {})
}

/** True once all have shown the same for as long as they must. */
async function stayedQuiet(
  look: () => IdleShell | undefined,
  rest: QuietPeriod,
  withinMs: number,
): Promise<boolean> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const now = look()
    if (now) renew(rest, now)
    else if (!rest.isAwaited) return false
    if (now?.isAsleep && performance.now() - rest.since >= now.restMs) return true
    if (performance.now() > deadline) return false
    await sleep(STEP_MS)
  }
}

/** Rest begins anew with whatever was done. */
function renew(rest: QuietPeriod, { sign, isAsleep }: IdleShell): void {
  if (isAsleep && sign === rest.sign) return
  Object.assign(rest, { sign, since: performance.now() })
  delete rest.machine
}

/** All panes and the log in one; undefined when one of them runs something, or there is no log. */
function together(
  panes: readonly Pick<AgentPane, 'pid' | 'dead'>[],
  entry: AgentEntry,
  log: string,
): IdleShell | undefined {
  const shells = panes.filter(({ dead }) => !dead).map(({ pid }) => readIdleShell(below(pid, entry)))
  if (panes.length === 0 || !shells.every(shell => shell !== undefined)) return undefined
  const size = sizeOf(log)
  if (size === undefined) return undefined
  return {
    sign: [size, ...shells.map(({ sign }) => sign)].join(', '),
    isAsleep: shells.every(({ isAsleep }) => isAsleep),
    restMs: Math.max(0, ...shells.map(({ restMs }) => restMs)),
  }
}

function sizeOf(file: string): number | undefined {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.size
}

/** Its age by the wall clock counts at the first look only: somebody may move that clock afterwards. */
function isYoung({ started_at }: AgentEntry, rest: QuietPeriod): boolean {
  const isOld = () => Date.now() - parseTimestamp(started_at).latest >= START_MS
  rest.youngUntil ??= performance.now() + (isOld() ? 0 : START_MS)
  return performance.now() < rest.youngUntil
}
