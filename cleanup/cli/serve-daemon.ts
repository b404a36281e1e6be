import { type DaemonOptions, runDaemon } from '../daemon/run-daemon.ts'
import { CleanupError, messageOf } from '../errors.ts'
import type { LogLine } from '../log.ts'
import { logLevelOf } from '../log.ts'
import { startOf } from '../platform/processes/table.ts'
import type { DaemonCommandOptions } from './daemon.ts'
import { validateDaemonSettings } from './daemon-options.ts'
import { startLean } from './start-lean.ts'
import { workspacesOf } from './workspace.ts'

const exitCodes = { done: 0, unforeseen: 1, wrongUsage: 2, cannotBegin: 3 } as const

/** Runs the daemon until it is told to stop, and ends the process. */
export async function serveDaemon(folders: string[], options: DaemonCommandOptions): Promise<never> {
  // Whoever read our log may be gone, or its disk full; that must not end the work.
  process.stdout.on('error', () => {})
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stop.abort())
  try {
    // First of all: whose files the settings may name, and whose cache of compiled code is used, depends on who we are.
    const workspaces = workspacesOf(folders, true)
    validateDaemonSettings(options)
    startLean()
    await runDaemon(optionsOf(workspaces, options, stop.signal))
    // What is still at work (a tmux that does not answer) is pending on disk, and must not hold up the stop.
    process.exit(exitCodes.done)
  } catch (error) {
    process.stderr.write(`leakrig: ${messageOf(error)}\n`)
    process.exit(codeOf(error))
  }
}

function optionsOf(workspaces: string[], options: DaemonCommandOptions, signal: AbortSignal): DaemonOptions {
  const { graceMs, silentAfter, endIdle = false, ownerPid, ...others } = options
  const { metricsPort, metricsTokenFile, metricsSocket, metricsFile, ...retention } = others
  return {
    workspaces,
    endIdle,
    retention,
    log,
    signal,
    ...(graceMs !== undefined && { graceMs }),
    ...(silentAfter !== undefined && { silentAfterMs: silentAfter * 1_000 }),
    ...(metricsPort !== undefined && { metricsPort }),
    ...(metricsTokenFile !== undefined && { metricsTokenFile }),
    ...(metricsSocket !== undefined && { metricsSocket }),
    ...(metricsFile !== undefined && { metricsFile }),
    // An owner that has gone already has no start: it counts as gone.
    ...(ownerPid !== undefined && { owner: { pid: ownerPid, start: startOf(ownerPid) ?? -1 } }),
  }
}

function log(line: LogLine): void {
  const stamped = { time: new Date().toISOString(), level: logLevelOf(line.event), ...line }
  process.stdout.write(`${JSON.stringify(stamped)}\n`)
}

function codeOf(error: unknown): number {
  if (!(error instanceof CleanupError)) return exitCodes.unforeseen
  const isUsage =
    error.code === 'bad-argument' || error.code === 'no-workspace' || error.code === 'not-the-owner'
  return isUsage ? exitCodes.wrongUsage : exitCodes.cannotBegin
}
