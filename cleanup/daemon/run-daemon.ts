import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { CleanupError, messageOf } from '../errors.ts'
import { TerminalWatch } from '../liveness/terminal-watch.ts'
import type { Log } from '../log.ts'
import { Monitor } from '../metrics/monitor.ts'
import { makeFolder } from '../platform/files/within.ts'
import type { Identity } from '../platform/processes/identity.ts'
import { isAlive } from '../platform/processes/table.ts'
import { GRACE_MS } from '../reaper/clean-up.ts'
import { globalRegistry, validateWorkspace } from '../registry/layout.ts'
import type { PolicyTexts } from '../retention/policy.ts'
import type { DaemonLock } from './daemon-lock.ts'
import type { Observer } from './observer.ts'
import type { CheckLevel } from './reconciler.ts'
import { RetentionJob } from './retention-job.ts'
import { Scheduler } from './scheduler.ts'
import { acquireDaemonLock } from './standby.ts'
import { Wakeup } from './wakeup.ts'
import { WorkspaceSupervisor } from './workspace-supervisor.ts'

export interface DaemonOptions {
  /** Absolute paths of `.agent-workspace` folders. */
  workspaces: string[]
  /** The process it belongs to: when that is gone and no agent is left, the daemon ends by itself. For one workspace only. */
  owner?: Identity
  graceMs?: number
  /** How long an agent may say nothing before it is called silent, in ms. */
  silentAfterMs?: number
  /** Ends silent agents whose work is done. */
  endIdle?: boolean
  /** What of the archives stays; what is not said here is as the workspace's own policy file says, or as by default. */
  retention?: PolicyTexts
  /** Serves metrics on this port of 127.0.0.1; 0 picks one, and the log says which. */
  metricsPort?: number
  /** A file with the token that this port requires; only its owner may be able to read it. */
  metricsTokenFile?: string
  /** Serves metrics on a Unix socket at this path, for our own user and root only. */
  metricsSocket?: string
  /** Writes metrics into this file, for node_exporter's textfile collector. */
  metricsFile?: string
  log?: Log
  /** Stops it. */
  signal: AbortSignal
}

/** How long an agent may say nothing by default, in ms. */
const SILENT_AFTER_MS = 120_000
/** How long a stop waits for the cleanups at hand, in ms. What is not finished then is on disk as pending. */
const STOP_MS = 700

/**
 * The safety net: notices what ended without anybody cleaning up after it, and cleans up. Resolves when it was
 * stopped, or when its owner and all agents are gone. Where another daemon watches a workspace, one that has an
 * owner waits to take its place. Throws a CleanupError when a workspace is missing (`no-workspace`), cannot be written to
 * (`cannot-lock`), or is watched by another daemon and there is no owner (`daemon-running`); for an owner and several
 * workspaces (`bad-argument`).
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { owner, log = () => {}, signal } = options
  const folders = new Set(options.workspaces)
  if (owner && folders.size > 1)
    throw new CleanupError(
      'bad-argument',
      `A daemon with an owner watches one workspace, not ${folders.size}: it may have to stand by at one of them. Start one for each.`,
    )
  const workspaces = [...new Set([...folders].map(requireWorkspace))]
  await using held = new AsyncDisposableStack()
  const wakeup = new Wakeup()
  signal.addEventListener('abort', wakeup.call)
  held.defer(() => signal.removeEventListener('abort', wakeup.call))
  const locks: DaemonLock[] = []
  for (const workspace of workspaces) {
    const lock = await acquireDaemonLock(workspace, options)
    if (!lock) return log({ event: 'stopped', because: 'it was not needed any more' })
    locks.push(held.use(lock))
  }
  const monitor = await Monitor.start(monitorOptions(workspaces, options))
  const observer = observerFor(monitor, log)
  const supervisors = locks.map(lock =>
    held.use(new WorkspaceSupervisor(reconcilerOptions(lock.workspace, options, observer, wakeup), lock)),
  )
  // Disposed of before the posts: as long as we hold the locks, the health files that it removes are its own.
  held.use(monitor)
  const retentionJob = new RetentionJob({ workspaces, policy: options.retention ?? {}, observer })
  const terminals = held.use(new TerminalWatch(wakeup.call))
  const scheduler = new Scheduler()

  const round = (level: CheckLevel) => {
    const changed = terminals.take()
    for (const supervisor of supervisors) supervisor.round(level, changed)
    retentionJob.round()
    monitor.round(supervisors.reduce((pending, supervisor) => pending + supervisor.pending, 0))
  }
  scheduler.go(round)
  // Said when all is there that belongs to it: its health file comes with the first round.
  log({ event: 'started', workspaces, pid: process.pid })
  while (!signal.aborted && (!owner || isAlive(owner) || isNeeded(supervisors))) {
    const called = await scheduler.due(wakeup, () => supervisors.some(supervisor => supervisor.blink()))
    if (called && !signal.aborted) await pause(scheduler.restMs, undefined, { signal }).catch(() => {})
    if (!signal.aborted) scheduler.go(round)
  }
  await Promise.race([
    Promise.all([retentionJob.end(), ...supervisors.map(supervisor => supervisor.idle())]),
    pause(STOP_MS),
  ])
  log({ event: 'stopped', because: signal.aborted ? 'it was told to' : 'its owner and all agents are gone' })
}

/** Whether any agent is left, also one that was registered a moment ago and not heard of yet. */
function isNeeded(supervisors: readonly WorkspaceSupervisor[]): boolean {
  if (supervisors.some(supervisor => supervisor.isBusy)) return true
  for (const supervisor of supervisors) supervisor.round('full', new Set())
  return supervisors.some(supervisor => supervisor.isBusy)
}

function monitorOptions(workspaces: string[], options: DaemonOptions) {
  const { metricsPort: port, metricsTokenFile: tokenFile, metricsSocket: socket, metricsFile: file } = options
  return { workspaces, port, tokenFile, socket, file, ...(options.log && { log: options.log }) }
}

function observerFor(monitor: Monitor, log: Log): Observer {
  return {
    log,
    cleaned: report => monitor.cleaned(report),
    failed: () => monitor.failed(),
    massDeath: () => monitor.massDeath(),
    degraded: (what, why) => monitor.degraded(what, why),
  }
}

function reconcilerOptions(workspace: string, options: DaemonOptions, observer: Observer, { call }: Wakeup) {
  const { graceMs = GRACE_MS, silentAfterMs = SILENT_AFTER_MS, endIdle = false, signal } = options
  return { workspace, graceMs, silentAfterMs, endIdle, observer, wake: call, signal }
}

function requireWorkspace(workspace: string): string {
  const registry = path.dirname(globalRegistry(validateWorkspace(workspace)))
  if (!fs.existsSync(workspace))
    throw new CleanupError(
      'no-workspace',
      `The workspace ${workspace} does not exist; expected the .agent-workspace folder of an orchestrator.`,
    )
  try {
    makeFolder(workspace, registry)
  } catch (cause) {
    if (cause instanceof CleanupError) throw cause
    throw new CleanupError(
      'cannot-lock',
      `${registry} could not be made: ${messageOf(cause)}. Nothing was touched; make the workspace writable, then start the daemon again.`,
      { cause },
    )
  }
  return workspace
}
