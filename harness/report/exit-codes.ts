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

/** The exit code of a run that a signal ended, as shells show it. */
export function signalled(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}
