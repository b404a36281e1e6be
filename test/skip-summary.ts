import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** Why a test did not run. */
export interface Skipped {
  /** The reason that the test gave to `needs` or `skip`. */
  note?: string | undefined
  tags: readonly string[]
}

/** One line for each reason why tests were skipped, the most frequent first. Tests that a name filter excluded give no reason. */
export function skipSummary(tests: readonly Skipped[]): string[] {
  const reasons = tests.map(({ note, tags }) => note ?? (tags.includes('long') ? LONG : ''))
  const counts = Map.groupBy(reasons.filter(Boolean), reason => reason.replaceAll(/\s+/g, ' '))
  const sorted = [...counts].sort(([, one], [, other]) => other.length - one.length)
  return sorted.map(([reason, { length }]) => `${length} skipped: ${reason}`)
}

const LONG = 'long; npm run test:all runs these too'

/** Prints the reasons for skipped tests at the end of a run, below Vitest's own summary. */
export class SkipSummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap(module => [...module.children.allTests('skipped')])
    const lines = skipSummary(tests.map(test => ({ note: noteOf(test), tags: test.tags })))
    if (lines.length > 0) console.log(`${lines.join('\n')}\n`)
  }
}

function noteOf(test: TestCase): string | undefined {
  const result = test.result()
  return result.state === 'skipped' ? result.note : undefined
}
