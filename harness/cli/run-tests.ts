import type { Vitest } from 'vitest/node'
import { type Interruption, interruptions, signalled } from '../report/exit-codes.ts'

/** Below npm, one Ctrl-C arrives twice: from the terminal and from npm. After so many ms it is a second Ctrl-C. */
const sameSignalMs = 1_000

/** Vitest waits ten seconds for a worker that the signal ended while it started; this is how long we wait, ms. */
const endsWithinMs = 4_000

/**
 * Runs the tests. The first signal stops the run: no further test begins, running tests are aborted, and their sandboxes
 * end. Whatever has not ended after 4 s ends with this process. A second signal ends the process at once.
 * @returns the first signal
 */
export async function runTests(
  vitest: Vitest,
  reporter: { interrupt(): void },
  filter: string[] = [],
): Promise<Interruption | undefined> {
  let first: { signal: Interruption; at: number } | undefined
  const { promise: tooLong, resolve: giveUp } = Promise.withResolvers<void>()
  const interrupt = (signal: Interruption) => {
    if (first && performance.now() - first.at > sameSignalMs) process.exit(signalled(signal))
    if (first) return
    first = { signal, at: performance.now() }
    reporter.interrupt()
    void vitest.cancelCurrentRun('keyboard-input')
    setTimeout(giveUp, endsWithinMs).unref()
  }
  // Vitest's own listeners end the process at once, without a report.
  for (const signal of interruptions) process.removeAllListeners(signal).on(signal, () => interrupt(signal))
  await Promise.race([vitest.start(filter), tooLong])
  return first?.signal
}
