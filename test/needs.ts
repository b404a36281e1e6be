import { beforeEach, TestRunner } from 'vitest'

/**
 * Skips the test that calls it, or every test of the `describe` or file that calls it, where something is missing, and
 * names it: the end of a run counts what was skipped by that name. `runIf` and `skipIf` would leave the reason out.
 * Not within a concurrent test: Vitest does not know which one is running.
 */
export function needs(what: string, isThere: boolean): void {
  const test = TestRunner.getCurrentTest()
  if (test) test.context.skip(!isThere, `no ${what}`)
  else beforeEach(({ skip }) => skip(!isThere, `no ${what}`))
}
