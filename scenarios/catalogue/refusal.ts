import { expect, inject } from '../../harness/index.ts'

/** What the system as found does in such a cell: it is red, and with these words; or it is green, and why. */
export type AsFound = { red: RegExp } | { green: string }

/**
 * A cell that is no leak alone: what happens is told step by step, with the refusal that is right and the return to
 * the baseline once the fault is mended. Against the system as found it comes out as said.
 */
export async function provesRed(asFound: AsFound, steps: () => Promise<void>): Promise<void> {
  if (!inject('leakrig').proof || 'green' in asFound) return steps()
  await expect(steps()).rejects.toThrow(asFound.red)
}
