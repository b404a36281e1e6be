import { beforeEach, TestRunner } from 'vitest'

/**
 * Skips tests if something is missing: called in a test, that test; called in a `describe` or a file, every test in it.
 * The reason is `no ${what}`, and the summary at the end of a run counts skipped tests by reason. `runIf` and `skipIf` give
 * no reason. Do not call it in a concurrent test: Vitest cannot know which one is running.
 */
export function needs(what: string, isPresent: boolean): void {
  const test = TestRunner.getCurrentTest()
  if (test) test.context.skip(!isPresent, `no ${what}`)
  else beforeEach(({ skip }) => skip(!isPresent, `no ${what}`))
}
