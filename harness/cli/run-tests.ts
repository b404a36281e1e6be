import type { Vitest } from 'vitest/node'
import { signalled } from '../report/exit-codes.ts'
import type { ScenarioReporter } from '../report/reporter.ts'

/** Ctrl-C, the end of a service or a CI job, a terminal that was closed, and a reader of the output that is gone. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE'] as const

/** Ctrl-C below npm arrives twice: from the terminal and from npm. Later than that, ms, it is a person's second. */
const sameSignalMs = 1_000

/** A worker that a signal for the whole group ended as it started is waited for by Vitest for ten seconds. */
const endsWithinMs = 4_000

/**
 * Runs the tests. A signal ends the run in order: no further test begins, those that run are aborted, and their sandboxes
 * end; what has not ended after 4 s ends with this process. A second one ends the process at once. Returns the first signal.
 */
export async function runTests(
  vitest: Vitest,
  reporter: ScenarioReporter,
  filter: string[] = [],
): Promise<NodeJS.Signals | undefined> {
  let first: { signal: NodeJS.Signals; at: number } | undefined
  const { promise: tooLong, resolve: giveUp } = Promise.withResolvers<void>()
  const interrupt = (signal: NodeJS.Signals) => {
    if (first && performance.now() - first.at > sameSignalMs) process.exit(signalled(signal))
    if (first) return
    first = { signal, at: performance.now() }
    reporter.isInterrupted = true
    void vitest.cancelCurrentRun('keyboard-input')
    setTimeout(giveUp, endsWithinMs).unref()
  }
  // Vitest's own listeners end the process at once, and nothing would be reported.
  for (const signal of signals) process.removeAllListeners(signal).on(signal, interrupt)
  await Promise.race([vitest.start(filter), tooLong])
  return first?.signal
}
