/** What the program's exit code says; documented in the README. */
export const exitCodes = {
  passed: 0,
  /** A leak or collateral was found. */
  found: 1,
  wrongUsage: 2,
  /** The rig could not measure, which is never a pass. */
  inconclusive: 3,
} as const
