import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** What shows why a test did not run. */
export interface Skipped {
  /** The reason that the test itself gave, with `needs` or `skip`. */
  note?: string | undefined
  tags: readonly string[]
}

/** One line for each reason why tests did not run, the most frequent first. Tests that a filter left out have none. */
export function leftOut(tests: readonly Skipped[]): string[] {
  const reasons = tests.map(({ note, tags }) => note ?? (tags.includes('long') ? LONG : ''))
  const counts = Map.groupBy(reasons.filter(Boolean), reason => reason.replaceAll(/\s+/g, ' '))
  const sorted = [...counts].sort(([, one], [, other]) => other.length - one.length)
  return sorted.map(([reason, { length }]) => `${length} skipped: ${reason}`)
}

const LONG = 'long; npm run test:all runs these too'

/** Prints those lines at the end of a run, below Vitest's summary. */
export class LeftOutReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap(module => [...module.children.allTests('skipped')])
    const lines = leftOut(tests.map(test => ({ note: noteOf(test), tags: test.tags })))
    if (lines.length > 0) console.log(`${lines.join('\n')}\n`)
  }
}

function noteOf(test: TestCase): string | undefined {
  const result = test.result()
  return result.state === 'skipped' ? result.note : undefined
}
