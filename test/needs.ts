import { beforeEach, TestRunner } from 'vitest'

/**
 * Skips the test that calls it, or every test of the `describe` or file that calls it, when something is missing. The
 * summary of a run counts the skipped tests by reason, which `runIf` and `skipIf` would not give. Do not call it within a
 * concurrent test, because Vitest does not know which one is running.
 */
export function needs(what: string, isThere: boolean): void {
  const test = TestRunner.getCurrentTest()
  if (test) test.context.skip(!isThere, `no ${what}`)
  else beforeEach(({ skip }) => skip(!isThere, `no ${what}`))
}
