import { setTimeout as sleep } from 'node:timers/promises'
import { runsInRenamedSession } from '../claims/renamed-session.ts'
import { isAlive, readProcess, startOf } from '../platform/processes/table.ts'
import { agentFiles } from '../registry/agent-files.ts'
import type { AgentEntry, RecordedTmux } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import type { Ending } from '../registry/lifecycle.ts'
import { lastResult, saysSuccess } from '../registry/stream-log.ts'
import { locate, type TmuxLocation } from '../tmux/locate.ts'
import { namedSession, recordedTmux } from '../tmux/recorded.ts'
import { detectAbandonedPane, type QuietPeriod } from './abandoned-pane.ts'
import { recordedEnd } from './recorded-end.ts'

/** How long a pane's process gets to end after its session did, in ms, so that the right one is named as the cause. */
const DYING_MS = 100
/** The same for one that has begun to end: on a busy machine it may get no turn in the middle of that. */
const EXITING_MS = 5_000

/**
 * Asks tmux whether an agent that the registry calls live has ended. Returns how, or undefined when it lives. One
 * that left by itself after a result that says success has completed; any other end is a crash. Throws
 * `tmux-unreachable` when tmux does not say: then nothing is known, and nothing may be done. Who asks again and again about
 * an agent hands in the same `rest`, and is not held up by a pane that must be seen at rest for long.
 */
export async function detectEnd(
  ref: AgentRef,
  entry: AgentEntry,
  rest?: QuietPeriod,
): Promise<Ending | undefined> {
  const recorded = recordedTmux(entry)
  const location = await locate(entry)
  if (
    !recorded &&
    !location.session &&
    (await runsInRenamedSession(entry, location, agentFiles(ref, entry).stream))
  )
    return undefined
  const end =
    (recorded ? await endOf(recorded, location) : endByName(entry, location)) ??
    (await detectAbandonedPane(ref, entry, location, rest))
  if (end === undefined) return undefined
  // Its end was taken back by a program that wrote an older copy; its log may be in the archive already.
  const before = recordedEnd(ref)
  if (before) return before
  const isFinished = saysSuccess(lastResult(agentFiles(ref, entry).stream))
  return isFinished
    ? { status: 'completed', reason: `its log ends with a successful result, and then ${end}` }
    : { status: 'crashed', reason: end }
}

/** In plain words how an agent ended whose place in tmux is recorded. */
async function endOf(recorded: RecordedTmux, location: TmuxLocation): Promise<string | undefined> {
  const { server_pid, server_start, pane_id, pane_pid } = recorded
  const isServerThere =
    location.server?.pid === server_pid && (server_start ?? location.server.start) === location.server.start
  if (!isServerThere) return `its tmux server ${server_pid} is gone`
  if (!location.session) await dying(recorded)
  const session = location.session ? '' : ' and its tmux session is gone'
  if (!isRunning(recorded)) {
    // The server may have been killed since it answered, and its panes are hung up by that.
    if (location.server && !isAlive(location.server)) return `its tmux server ${server_pid} is gone`
    return `its pane's process ${pane_pid} ended${session}`
  }
  if (!location.session) return 'its tmux session is gone'
  const pane = location.panes.find(({ id }) => id === pane_id)
  if (pane && !pane.dead) return undefined
  return pane ? `its pane ${pane_id} is dead` : `its pane ${pane_id} is gone`
}

/** A dying pane process hangs up its terminal first, and tmux may close the session before it is quite dead. */
async function dying(recorded: RecordedTmux): Promise<void> {
  const since = performance.now()
  const patienceMs = () => (readProcess(recorded.pane_pid)?.exiting ? EXITING_MS : DYING_MS)
  while (isRunning(recorded) && performance.now() - since < patienceMs()) await sleep(5)
}

function isRunning({ pane_pid, pane_start }: RecordedTmux): boolean {
  const start = pane_start ?? startOf(pane_pid)
  return start !== undefined && isAlive({ pid: pane_pid, start })
}

function endByName(entry: AgentEntry, location: TmuxLocation): string | undefined {
  if (!location.session) return `its tmux session ${namedSession(entry).name} is gone`
  return location.panes.length > 0 && location.panes.every(({ dead }) => dead)
    ? 'every pane of its session is dead'
    : undefined
}
