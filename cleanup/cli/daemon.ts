import { type Command, InvalidArgumentError, Option } from 'commander'
import type { DaemonOptions } from '../daemon/run-daemon.ts'
import { CleanupError, messageOf } from '../errors.ts'
import { logLevelOf } from '../log.ts'
import { parsePolicy } from '../retention/policy.ts'
import { addDaemonOptions, type DaemonSettings, validateMetricsOptions } from './daemon-options.ts'
import { duration } from './option-values.ts'
import { printProblem, writeJsonLine } from './output.ts'
import { useSockets } from './socket-options.ts'
import { WORKSPACE_ARGUMENT, workspacesOf } from './workspace.ts'

interface DaemonCommandOptions extends DaemonSettings {
  ownerPid?: number
  graceMs?: number
}

const exitCodes = { done: 0, unforeseen: 1, wrongUsage: 2, cannotBegin: 3 } as const

export function addDaemon(program: Command): Command {
  const daemon = program
    .command('daemon')
    .description('watch workspaces, and clean up after every agent that ends')
    .argument('[workspace...]', WORKSPACE_ARGUMENT)
  addDaemonOptions(daemon)
  // Units of services that an earlier version installed pass "--grace-ms 3000" and "--silent-after 120".
  daemon.options.find(({ long }) => long === '--silent-after')?.argParser(durationOrSeconds)
  return daemon
    .addOption(new Option('--grace-ms <ms>').argParser(wholeNumber).hideHelp())
    .option(
      '--owner-pid <pid>',
      'end when this process and all agents are gone; requires a single workspace',
      pid,
    )
    .addHelpText(
      'after',
      '\nPrints one JSON object per line. SIGTERM or SIGINT stops it within a second; the next daemon finishes what is left.' +
        '\nExit codes: 0 stopped, 1 unexpected error, 2 wrong usage, 3 another daemon is running or it could not start.',
    )
    .action(serveDaemon)
}

/** Runs the daemon until it is stopped, and ends the process. */
async function serveDaemon(folders: string[], options: DaemonCommandOptions): Promise<never> {
  const { runDaemon } = await import('../daemon/run-daemon.ts')
  const { startOf } = await import('../platform/processes/table.ts')
  const { startThreadPool } = await import('../platform/thread-pool.ts')
  // The reader of the log may have ended, or its disk may be full. The daemon goes on.
  process.stdout.on('error', () => {})
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stop.abort())
  const { grace, graceMs = grace, silentAfter, endIdle = false, ownerPid, ...others } = options
  const { metricsPort, metricsTokenFile, metricsSocket, metricsFile, socketName, socketPath, ...retention } =
    others
  const log: DaemonOptions['log'] = line => {
    writeJsonLine({ time: new Date().toISOString(), level: logLevelOf(line.event), ...line })
  }
  try {
    startThreadPool()
    parsePolicy(options)
    // Before the metrics, because it decides which user this process is, and with that which files their options may name.
    const workspaces = workspacesOf(folders, true)
    validateMetricsOptions(options)
    await useSockets(options, true)
    await runDaemon({
      workspaces,
      endIdle,
      retention,
      log,
      signal: stop.signal,
      ...(graceMs !== undefined && { graceMs }),
      ...(silentAfter !== undefined && { silentAfterMs: silentAfter }),
      ...(metricsPort !== undefined && { metricsPort }),
      ...(metricsTokenFile !== undefined && { metricsTokenFile }),
      ...(metricsSocket !== undefined && { metricsSocket }),
      ...(metricsFile !== undefined && { metricsFile }),
      // An owner that has already ended has no start time. -1 matches no process, so it counts as gone.
      ...(ownerPid !== undefined && { owner: { pid: ownerPid, start: startOf(ownerPid) ?? -1 } }),
    })
    // Exits without waiting for work that hangs (on a tmux that does not answer): the registries list it as pending.
    process.exit(exitCodes.done)
  } catch (error) {
    printProblem(messageOf(error))
    process.exit(exitCodeOf(error))
  }
}

function exitCodeOf(error: unknown): number {
  if (!(error instanceof CleanupError)) return exitCodes.unforeseen
  const isUsage =
    error.code === 'bad-argument' || error.code === 'no-workspace' || error.code === 'not-the-owner'
  return isUsage ? exitCodes.wrongUsage : exitCodes.cannotBegin
}

const durationOrSeconds = (text: string): number =>
  /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : duration(text)

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a whole number.')
}

function pid(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a process id, from 1.')
}
