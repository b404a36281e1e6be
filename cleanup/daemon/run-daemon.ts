import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { GRACE_MS } from '../cleaning/clean-up.ts'
import type { Log } from '../cleaning/report.ts'
import { CleanupError } from '../errors.ts'
import type { Identity } from '../processes/identity.ts'
import { isAlive } from '../processes/table.ts'
import { globalRegistry, validateWorkspace } from '../workspace/layout.ts'
import { takePost } from './take-post.ts'
import { Wakeup } from './wakeup.ts'
import { Warden } from './warden.ts'

export interface DaemonOptions {
  /** Absolute paths of `.agent-workspace` folders. */
  workspaces: string[]
  /** The process it belongs to: when that is gone and no agent is left, the daemon ends by itself. */
  owner?: Identity
  graceMs?: number
  log?: Log
  /** Stops it. */
  signal: AbortSignal
}

/** How often every live agent's pane process is looked at, in ms. */
const PULSE_MS = 150
/** How often everything is looked at although nothing was heard, in ms: what no watch has told is seen then. */
const POLL_MS = 5_000
/** How long a change is given to be followed by more, in ms: a registry is written a few times in a row. */
const COALESCE_MS = 10
/** How long a stop waits for the cleanups at hand, in ms. What is not finished then is on disk as pending. */
const STOP_MS = 700

/**
 * The safety net: notices what ended without anybody cleaning up after it, and cleans up. Resolves when it was
 * stopped, or when its owner and all agents are gone. Where another daemon watches a workspace, one that has an
 * owner waits to take its place. Throws a CleanupError when a workspace is missing (`no-workspace`), or is watched by
 * another daemon and there is no owner (`daemon-running`).
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { workspaces, owner, graceMs = GRACE_MS, log = () => {}, signal } = options
  using held = new DisposableStack()
  for (const workspace of workspaces) {
    requireWorkspace(workspace)
    const post = await takePost(workspace, options)
    if (!post) return log({ event: 'stopped', because: 'it was not needed any more' })
    held.use(post)
  }
  const wakeup = new Wakeup()
  signal.addEventListener('abort', wakeup.call)
  held.defer(() => signal.removeEventListener('abort', wakeup.call))
  const wardens = workspaces.map(workspace => held.use(new Warden(workspace, graceMs, log, wakeup.call)))

  log({ event: 'started', workspaces, pid: process.pid })
  let polledAt = Number.NEGATIVE_INFINITY
  while (!signal.aborted) {
    const isThorough = performance.now() - polledAt >= POLL_MS
    if (isThorough) polledAt = performance.now()
    const busy = wardens.map(warden => warden.round(isThorough))
    if (owner && !isAlive(owner) && !busy.includes(true)) break
    await wakeup.wait(PULSE_MS)
    if (!signal.aborted) await pause(COALESCE_MS)
  }
  await Promise.race([Promise.all(wardens.map(warden => warden.idle())), pause(STOP_MS)])
  log({ event: 'stopped', because: signal.aborted ? 'it was told to' : 'its owner and all agents are gone' })
}

function requireWorkspace(workspace: string): void {
  const registry = path.dirname(globalRegistry(validateWorkspace(workspace)))
  if (!fs.existsSync(workspace))
    throw new CleanupError(
      'no-workspace',
      `The workspace ${workspace} does not exist; expected the .agent-workspace folder of an orchestrator.`,
    )
  fs.mkdirSync(registry, { recursive: true })
}
