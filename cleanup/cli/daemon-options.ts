import { type Command, InvalidArgumentError, Option } from 'commander'
import { validateMetricsSettings } from '../metrics/settings.ts'
import { fromCwd } from '../platform/cwd.ts'
import { durationOption } from '../platform/duration.ts'
import type { PolicyTexts } from '../retention/policy.ts'
import { duration, grace } from './option-values.ts'
import { type SocketOptions, socketNameOption, socketPathOption } from './socket-options.ts'

/** The settings of a daemon, as `leakrig daemon` and `leakrig service install` take them. Durations in ms. */
export interface DaemonSettings extends PolicyTexts, SocketOptions {
  grace?: number
  silentAfter?: number
  endIdle?: boolean
  metricsPort?: number
  metricsTokenFile?: string
  metricsSocket?: string
  metricsFile?: string
}

/** Each setting with its option, in the order of the help and of the daemon's command line. */
const options = (): [keyof DaemonSettings, Option][] => [
  [
    'grace',
    option(
      '--grace <duration>',
      'how long an agent’s processes get between TERM and KILL (3s, or 7s for a claude with hooks)',
      grace,
    ),
  ],
  [
    'silentAfter',
    option(
      '--silent-after <duration>',
      'how long an agent may print nothing before it is reported (2m)',
      duration,
    ),
  ],
  ['socketName', socketNameOption()],
  ['socketPath', socketPathOption()],
  ['endIdle', option('--end-idle', 'end silent agents whose work is done')],
  ['keepDays', option('--keep-days <days>', 'remove archives that are older (7)')],
  ['keepLast', option('--keep-last <n>', 'always keep the newest n archives of each class')],
  [
    'maxBytes',
    option(
      '--max-bytes <size>',
      'remove the oldest archives until a workspace has no more than this: 500M, 2G (powers of 1024)',
    ),
  ],
  [
    'minFree',
    option('--min-free <size>', 'remove the oldest archives until this much of the disk is free: 1G, 5%'),
  ],
  [
    'metricsPort',
    option('--metrics-port <port>', 'serve Prometheus metrics on this port of 127.0.0.1', port),
  ],
  [
    'metricsTokenFile',
    option(
      '--metrics-token-file <file>',
      'require the token in this file (mode 0600) on that port: Authorization: Bearer TOKEN',
      fromCwd,
    ),
  ],
  [
    'metricsSocket',
    option(
      '--metrics-socket <file>',
      'serve metrics on a Unix socket for this user only, in a folder that only this user may write to',
      fromCwd,
    ),
  ],
  [
    'metricsFile',
    option('--metrics-file <file>', 'write metrics to this *.prom file for node_exporter', fromCwd),
  ],
]

/** Adds the daemon's settings to a command. */
export function addDaemonOptions(command: Command): Command {
  for (const [, one] of options()) command.addOption(one)
  return command
}

/**
 * Checks at once what a daemon would otherwise trip over half a minute later: the file, socket and token of its metrics.
 * `uid` is the user that the daemon will run as, by default ours. Throws a CleanupError (`bad-argument`).
 */
export function validateMetricsOptions(settings: DaemonSettings, uid?: number): void {
  const {
    metricsPort: port,
    metricsTokenFile: tokenFile,
    metricsSocket: socket,
    metricsFile: file,
  } = settings
  validateMetricsSettings({ port, tokenFile, socket, file }, uid)
}

const DURATIONS: ReadonlySet<keyof DaemonSettings> = new Set(['grace', 'silentAfter'])

/** The settings as arguments of `leakrig daemon`. */
export function daemonArguments(settings: DaemonSettings): string[] {
  return options().flatMap(([name, { long }]) => {
    const value = settings[name]
    if (!long || value === undefined || value === false) return []
    if (value === true) return [long]
    if (Array.isArray(value)) return value.flatMap(one => [long, one])
    return [long, DURATIONS.has(name) ? durationOption(Number(value)) : String(value)]
  })
}

function option(flags: string, about: string, parse?: (text: string) => unknown): Option {
  const made = new Option(flags, about)
  return parse ? made.argParser(parse) : made
}

function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text)
  throw new InvalidArgumentError('expected a port from 1 to 65535, or 0 for any free one.')
}
