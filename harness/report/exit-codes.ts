import { constants } from 'node:os'

/** The exit codes of all commands of the rig; documented in the README. */
export const exitCodes = {
  passed: 0,
  /** A leak or collateral was found. */
  found: 1,
  wrongUsage: 2,
  /** The rig could not measure, which is never a pass. */
  inconclusive: 3,
} as const

/** Ctrl-C, the end of a service or a CI job, a closed terminal, and a reader that closed the output. */
export const interruptions = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE'] as const

export type Interruption = (typeof interruptions)[number]

/** The exit code of a run that a signal ended, as shells show it. */
export function signalled(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}
