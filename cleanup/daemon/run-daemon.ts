import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { CleanupError, messageOf } from '../errors.ts'
import { TerminalWatch } from '../liveness/terminal-watch.ts'
import type { Log } from '../log.ts'
import { Monitor } from '../metrics/monitor.ts'
import { uniqueFolders } from '../platform/files/real-path.ts'
import { makeFolder } from '../platform/files/within.ts'
import { AsyncHeld } from '../platform/held.ts'
import type { Identity } from '../platform/processes/identity.ts'
import { isAlive } from '../platform/processes/table.ts'
import { globalRegistry, validateWorkspace } from '../registry/layout.ts'
import { requireWorkspaceFolder } from '../registry/require-workspace.ts'
import type { PolicyTexts } from '../retention/policy.ts'
import type { DaemonLock } from './daemon-lock.ts'
import { type Observer, ProblemDedup } from './problem-dedup.ts'
import { RetentionJob } from './retention-job.ts'
import { type CheckLevel, Scheduler } from './scheduler.ts'
import { acquireDaemonLock } from './standby.ts'
import { Wakeup } from './wakeup.ts'
import { WorkspaceSupervisor } from './workspace-supervisor.ts'

export interface DaemonOptions {
  /** Absolute paths of `.agent-workspace` folders. */
  workspaces: string[]
  /** The process that the daemon serves: the daemon ends when that process and all agents are gone. For one workspace only. */
  owner?: Identity
  /** By default what each agent needs. */
  graceMs?: number
  /** How long an agent may be silent before it is marked, in ms. */
  silentAfterMs?: number
  /** Ends silent agents that have finished their work. */
  endIdle?: boolean
  /** Which archives to keep; the defaults apply to what is not given. */
  retention?: PolicyTexts
  /** Serves metrics on this port of 127.0.0.1; with 0 on any free port, which is logged. */
  metricsPort?: number
  /** A file with the token that this port requires; only its owner may be able to read it. */
  metricsTokenFile?: string
  /** Serves metrics on a Unix socket at this path, for our own user and root only. */
  metricsSocket?: string
  /** Writes metrics into this file, for node_exporter's textfile collector. */
  metricsFile?: string
  log?: Log
  /** Stops the daemon. */
  signal: AbortSignal
}

/** How long an agent may be silent by default, in ms. */
const SILENT_AFTER_MS = 120_000
/** How long a stop waits for the cleanups under way, in ms. What is not finished then is on disk as pending. */
const STOP_MS = 700

/**
 * The safety net: finds agents that ended without a cleanup, and cleans up after them. Resolves when it was stopped, or
 * when its owner and all agents are gone. Where another daemon holds a workspace, a daemon with an owner stands by.
 * Throws a CleanupError when a workspace is missing (`no-workspace`), cannot be written to (`cannot-lock`), or is held by
 * another daemon and there is no owner (`daemon-running`), and for an owner with several workspaces (`bad-argument`).
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { owner, log = () => {}, signal } = options
  const folders = uniqueFolders(options.workspaces)
  if (owner && folders.length > 1)
    throw new CleanupError(
      'bad-argument',
      `A daemon with an owner watches one workspace, not ${folders.length}, because it may have to stand by for each; start one daemon for each workspace.`,
    )
  const workspaces = folders.map(prepareWorkspace)
  await using held = new AsyncHeld()
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
  // Disposed of before the supervisors: while we hold the locks, the health files that the monitor removes are its own.
  held.use(monitor)
  const retentionJob = new RetentionJob({ workspaces, policy: options.retention ?? {}, observer })
  const terminals = held.use(new TerminalWatch(wakeup.call))
  const scheduler = new Scheduler()
  const problems = new ProblemDedup(observer)

  const check = (level: CheckLevel) => {
    const changed = terminals.take()
    reportTerminals(problems, terminals.problem)
    for (const supervisor of supervisors) supervisor.check(level, changed)
    scheduler.isBlind = terminals.problem !== undefined || supervisors.some(({ isBlind }) => isBlind)
    retentionJob.check()
    monitor.check(supervisors.reduce((pending, supervisor) => pending + supervisor.pending, 0))
  }
  scheduler.run(check)
  // Logged when everything is in place: the first check writes the health file.
  log({ event: 'started', workspaces, pid: process.pid })
  while (!signal.aborted && (!owner || isAlive(owner) || isNeeded(supervisors))) {
    const wasCalled = await scheduler.due(wakeup, () =>
      supervisors.some(supervisor => supervisor.isAnyRunnerGone()),
    )
    if (wasCalled && !signal.aborted) await pause(scheduler.pauseMs, undefined, { signal }).catch(() => {})
    if (!signal.aborted) scheduler.run(check)
  }
  const idle = Promise.all([retentionJob.end(), ...supervisors.map(supervisor => supervisor.idle())])
  await Promise.race([idle, pause(STOP_MS)])
  log({
    event: 'stopped',
    because: signal.aborted ? 'a signal stopped it' : 'its owner and all agents are gone',
  })
}

/** True while any agent is left, also one that was registered a moment ago and not reported yet. */
function isNeeded(supervisors: readonly WorkspaceSupervisor[]): boolean {
  if (supervisors.some(supervisor => supervisor.isBusy)) return true
  for (const supervisor of supervisors) supervisor.check('full', new Set())
  return supervisors.some(supervisor => supervisor.isBusy)
}

function reportTerminals(problems: ProblemDedup, problem: string | undefined): void {
  const about = 'terminals'
  if (problem === undefined) problems.resolve(about, { event: 'problem-resolved', about })
  else problems.report(about, problem, { event: 'problem', about, problem })
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
  const { graceMs, silentAfterMs = SILENT_AFTER_MS, endIdle = false, signal } = options
  return { workspace, graceMs, silentAfterMs, endIdle, observer, wake: call, signal }
}

function prepareWorkspace(workspace: string): string {
  const registry = path.dirname(globalRegistry(validateWorkspace(workspace)))
  requireWorkspaceFolder(workspace)
  try {
    makeFolder(workspace, registry)
  } catch (cause) {
    if (cause instanceof CleanupError) throw cause
    throw new CleanupError(
      'cannot-lock',
      `${registry} could not be created: ${messageOf(cause)}. Nothing was touched; make the workspace writable, then start the daemon again.`,
      { cause },
    )
  }
  return workspace
}
