import { setTimeout as sleep } from 'node:timers/promises'
import { logWriters, partWriters } from '../claims/log-writers.ts'
import { observe } from '../claims/observe.ts'
import { runsInRenamedSession, writesFromPane } from '../claims/renamed-session.ts'
import { isSeen, requireSeenFromHere } from '../claims/seen-from-here.ts'
import { strangerAtLog } from '../claims/strangers.ts'
import { locateAgent, requireProven } from '../claims/which-server.ts'
import { limitMet } from '../platform/limits.ts'
import { ageMs } from '../platform/processes/details.ts'
import { requireVisibleProcesses } from '../platform/processes/proc.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { isAlive, readMachine, readProcess, startOf } from '../platform/processes/table.ts'
import { agentFiles } from '../registry/agent-files.ts'
import type { AgentEntry, RecordedTmux } from '../registry/entries.ts'
import { errorOutput } from '../registry/error-output.ts'
import type { AgentRef } from '../registry/layout.ts'
import type { Ending } from '../registry/lifecycle.ts'
import { readTaskRegistry } from '../registry/registry.ts'
import { lastResult, saysSuccess } from '../registry/stream-log.ts'
import { recordedWorld, requireDeployedHere } from '../registry/world.ts'
import { type AgentPane, locate, type TmuxLocation } from '../tmux/locate.ts'
import { namedSession, recordedTmux } from '../tmux/recorded.ts'
import { detectAbandonedPane, type QuietPeriod } from './abandoned-pane.ts'
import { hasFinished } from './finished-agent.ts'
import { recordedEnd } from './recorded-end.ts'

/** How long a pane's process gets to end after its session did, in ms, so that the right one is named as the cause. */
const DYING_MS = 100
/** The same for a process that has begun to exit. On a busy machine it may not be scheduled for seconds. */
const EXITING_MS = 5_000
/** How long the new process of a pane that was started again gets to open the agent's log, in ms. */
const RESTART_MS = 60_000

/**
 * Queries tmux to find out whether an agent that the registry lists as live has ended. Returns how it ended, or undefined
 * when it lives. An agent that left by itself after a successful result has completed; any other end is a crash. Throws
 * when that cannot be known: tmux gives no answer, or the agent is not seen from here. Then nothing may be done. A caller
 * that checks one agent repeatedly passes the same `quiet`, so that no check waits until a pane has been quiet for long enough.
 */
export async function detectEnd(
  ref: AgentRef,
  entry: AgentEntry,
  quiet?: QuietPeriod,
): Promise<Ending | undefined> {
  const gone = requireDeployedHere(ref, entry)
  const log = agentFiles(ref, entry).stream
  const end =
    gone ??
    (await locateAgent(ref, entry, log, readMachine, quiet).then(
      location => endByTmux(ref, entry, location, log, quiet),
      (tmuxError: unknown) => endByProcesses(entry, log, tmuxError),
    ))
  if (end === undefined) return undefined
  requireVisibleProcesses()
  // Another program may have written an older copy of the registry over the end; the log may be archived already.
  const before = recordedEnd(ref)
  if (before) return before
  const { result, unread } = lastResult(log)
  if (saysSuccess(result))
    return { status: 'completed', reason: `its log ends with a successful result, and then ${end}` }
  const doubt = unread ? `; its log may end with a result all the same: ${unread}` : ''
  const errors = errorOutput(ref)
  return { status: 'crashed', reason: `${end}${doubt}${errors ? `; it printed: ${errors}` : ''}` }
}

async function endByTmux(
  ref: AgentRef,
  entry: AgentEntry,
  location: TmuxLocation,
  log: string,
  quiet: QuietPeriod | undefined,
): Promise<string | undefined> {
  const recorded = recordedTmux(entry)
  if (quiet && isSeen(location)) quiet.wasSeen = true
  if (!isSeen(location)) {
    const machine = await readMachine()
    // Somebody in a container writes it, whatever the entry says.
    if (strangerAtLog(entry, log, machine) !== undefined) return undefined
    requireSeenFromHere(entry, location, log, machine, quiet?.wasSeen)
    if (!recorded && (await runsInRenamedSession(entry, location, log, machine))) return undefined
  }
  const end =
    (recorded
      ? await endOfRecorded(entry, recorded, location, () => writesFromPane(entry, location, log))
      : endByName(entry, location)) ??
    (await detectAbandonedPane(ref, entry, location, quiet)) ??
    (recorded ? undefined : await endBesideAnother(ref, entry, location, log))
  if (end !== undefined) requireProven(location)
  return end
}

/**
 * How an agent ended, when a limit keeps every tmux client from starting: what an agent has left behind may be what uses it
 * up. The end of the recorded pane's process counts then too, unless the log is still written. Rethrows `tmuxError` otherwise.
 */
async function endByProcesses(entry: AgentEntry, log: string, tmuxError: unknown): Promise<string> {
  const recorded = recordedTmux(entry)
  if (limitMet(tmuxError) === undefined || recorded?.pane_start === undefined || isRunning(recorded))
    throw tmuxError
  // In another world, the recorded process would not run either. A recorded server that runs shows that this is the one.
  if (!recordedWorld(entry) && !isServerRunning(recorded)) throw tmuxError
  if (logWriters((await readMachine()).openFiles, log).length > 0) throw tmuxError
  return `its pane's process ${recorded.pane_pid} ended`
}

/**
 * Tells in plain words how an agent ended whose place in tmux is recorded. The agent is its pane and what runs there, not the
 * session or window that shows it: either may be renamed, moved or closed while the agent works on.
 */
async function endOfRecorded(
  entry: AgentEntry,
  recorded: RecordedTmux,
  location: TmuxLocation,
  isWritten: () => Promise<boolean>,
): Promise<string | undefined> {
  const { server_pid, server_start, pane_id, pane_pid } = recorded
  const paneIn = ({ panes }: TmuxLocation) => panes.find(({ id }) => id === pane_id)
  const isServerThere =
    location.server?.pid === server_pid && (server_start ?? location.server.start) === location.server.start
  if (!isServerThere) return `its tmux server ${server_pid} is gone`
  const pane = paneIn(location)
  if (!location.session && !pane) await untilPaneEnds(recorded)
  const session = location.session ? '' : ' and its tmux session is gone'
  if (!isRunning(recorded)) {
    // The list is older than this end if it names the ended process.
    const paneNow = pane?.pid === pane_pid ? paneIn(await locate(entry)) : pane
    // The server may have been killed since it replied. That hangs up its panes.
    if (location.server && !isAlive(location.server)) return `its tmux server ${server_pid} is gone`
    // Somebody may have started it again in its pane (`respawn-pane`) or beside it.
    if (isNew(paneNow) || ((location.session || pane) && (await isWritten()))) return undefined
    return `its pane's process ${pane_pid} ended${session}`
  }
  if (pane && !pane.dead) return undefined
  if (!location.session) return 'its tmux session is gone'
  if (await isWritten()) return undefined
  return pane ? `its pane ${pane_id} is dead` : `its pane ${pane_id} is gone`
}

/** A dying pane process closes its terminal first, so tmux may close the session while the process still exists. */
async function untilPaneEnds(recorded: RecordedTmux): Promise<void> {
  const since = performance.now()
  const waitMs = () => (readProcess(recorded.pane_pid)?.exiting ? EXITING_MS : DYING_MS)
  while (isRunning(recorded) && performance.now() - since < waitMs()) await sleep(5)
}

/** Of a pane that has another process than the recorded one: its claude may be yet to open the log. */
function isNew(pane: AgentPane | undefined): boolean {
  if (!pane || pane.dead) return false
  const process = readProcess(pane.pid)
  return process !== undefined && !hasEnded(process) && ageMs(process) < RESTART_MS
}

function isRunning({ pane_pid, pane_start }: RecordedTmux): boolean {
  const start = pane_start ?? startOf(pane_pid)
  return start !== undefined && isAlive({ pid: pane_pid, start })
}

function isServerRunning({ server_pid, server_start }: RecordedTmux): boolean {
  return server_start !== undefined && isAlive({ pid: server_pid, start: server_start })
}

/**
 * Tells of an agent that has finished, and whose session is gone, although another's has its name: the log ends with a result,
 * nobody writes it, and something shows that nothing in the session is the agent's.
 */
async function endBesideAnother(
  ref: AgentRef,
  entry: AgentEntry,
  { session, isProven }: TmuxLocation,
  log: string,
): Promise<string | undefined> {
  if (!session || isProven || namedSession(entry).isPart || !hasFinished(ref, entry)) return undefined
  const registry = readTaskRegistry(ref.workspace, ref.taskId)
  const { location, sharedSession, openFiles } = await observe(ref, registry, { log, isOnlyShown: true })
  const isOver = sharedSession && location.panes.length === 0 && partWriters(openFiles, log).length === 0
  return isOver && hasFinished(ref, entry) ? 'its session is gone, and another has its name' : undefined
}

function endByName(entry: AgentEntry, { session, panes }: TmuxLocation): string | undefined {
  if (!session) return `its tmux session ${namedSession(entry).name} is gone`
  return panes.length > 0 && panes.every(({ dead }) => dead) ? 'every pane of its session is dead' : undefined
}
