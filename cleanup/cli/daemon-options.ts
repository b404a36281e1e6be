import { type Command, InvalidArgumentError, Option } from 'commander'
import { validateMetricsSettings } from '../metrics/settings.ts'
import { fromCwd } from '../platform/cwd.ts'
import { type PolicyTexts, parsePolicy } from '../retention/policy.ts'

/** How a daemon is to work, whoever starts it. */
export interface DaemonSettings extends PolicyTexts {
  graceMs?: number
  silentAfter?: number
  endIdle?: boolean
  metricsPort?: number
  metricsTokenFile?: string
  metricsSocket?: string
  metricsFile?: string
}

/** Each setting with its option, in the order in which they are shown and handed on. */
const OPTIONS: readonly [keyof DaemonSettings, Option][] = [
  [
    'graceMs',
    option('--grace-ms <ms>', 'how long an agent’s processes get to end by themselves (3000)', wholeNumber),
  ],
  [
    'silentAfter',
    option('--silent-after <s>', 'how long an agent may say nothing before that is told (120)', wholeNumber),
  ],
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
    option('--metrics-port <port>', 'serve metrics for Prometheus on this port of 127.0.0.1', port),
  ],
  [
    'metricsTokenFile',
    option(
      '--metrics-token-file <file>',
      'require the token in this file on that port (Authorization: Bearer TOKEN); mode 0600',
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
    option('--metrics-file <file>', 'write metrics for node_exporter into this *.prom', fromCwd),
  ],
]

/** Adds the daemon's settings to a command. */
export function addDaemonOptions(command: Command): Command {
  for (const [, one] of OPTIONS) command.addOption(one)
  return command
}

/**
 * Throws a CleanupError (`bad-argument`) for what only a look at the whole tells: a policy that cannot be read, which a
 * daemon would otherwise find out half a minute later, or metrics whose file, socket or token would be refused. `uid` is
 * the user that the daemon will run as; by default our own.
 */
export function validateDaemonSettings(settings: DaemonSettings, uid?: number): void {
  parsePolicy(settings)
  const {
    metricsPort: port,
    metricsTokenFile: tokenFile,
    metricsSocket: socket,
    metricsFile: file,
  } = settings
  validateMetricsSettings({ port, tokenFile, socket, file }, uid)
}

/** The settings as words on the daemon's command line. */
export function daemonWords(settings: DaemonSettings): string[] {
  return OPTIONS.flatMap(([name, { long }]) => {
    const value = settings[name]
    if (long === undefined || long === null || value === undefined || value === false) return []
    return value === true ? [long] : [long, String(value)]
  })
}

function option(flags: string, about: string, parse?: (text: string) => unknown): Option {
  const made = new Option(flags, about)
  return parse ? made.argParser(parse) : made
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a whole number.')
}

function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text)
  throw new InvalidArgumentError('Expected a port from 1 to 65535, or 0 for any that is free.')
}
