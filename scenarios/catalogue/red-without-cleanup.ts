import { expect, inject } from '../../harness/index.ts'

/**
 * The steps of a cell that is no row of a matrix: what happens, the refusal where that is right, and the return to
 * the baseline once a fault is mended. In the proof the system as found has to fail them, and with these words.
 */
export async function provesRed({ red }: { red: RegExp }, steps: () => Promise<void>): Promise<void> {
  if (!inject('leakrig').proof) return steps()
  await expect(steps()).rejects.toThrow(red)
}
