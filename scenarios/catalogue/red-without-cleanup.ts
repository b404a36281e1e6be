import { expect, settings } from '../../harness/index.ts'

/**
 * Runs the steps of a cell that is no row of a matrix: the fault, the refusal where that is right, and the return to
 * the baseline once the fault is mended. Against the system without a cleanup (`catalogue-none`) the steps have to fail
 * with these words.
 */
export async function redWithoutCleanup(words: RegExp, steps: () => Promise<void>): Promise<void> {
  if (!settings().withoutCleanup) return steps()
  await expect(steps()).rejects.toThrow(words)
}
