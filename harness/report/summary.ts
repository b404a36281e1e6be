import type { Report } from './report.ts'
import type { ScenarioResult } from './scenario-result.ts'
import { seconds } from './text.ts'

/**
 * The last lines of a run: what was left out and kept, and the counts.
 * @param verbose the findings of known leaks were printed, too
 */
export function summaryText(
  { scenarios, durationMs, systems, sandbox, interrupted, ...rest }: Report,
  verbose = false,
): string {
  const verdicts = scenarios.flatMap(scenario => scenario.verdicts)
  const ignored = reasons(verdicts.flatMap(verdict => verdict.ignored))
  const kept = reasons(verdicts.flatMap(verdict => verdict.kept))
  const leftOut = new Set(scenarios.flatMap(scenario => scenario.leftOut))
  // A run that was interrupted before its first result has tested none.
  const names = systems.length > 0 ? systems : rest.run.systems
  const tested = names.length > 0 ? [`system ${names.join(' and ')}`] : []
  return [
    '',
    ...afterwards(scenarios, verbose),
    ...(ignored ? [`left out of every snapshot: ${ignored}`] : []),
    ...(kept ? [`kept by policy: ${kept}`] : []),
    ...(leftOut.size > 0
      ? [`not checked, because the system does not declare it: ${[...leftOut].join('; ')}`]
      : []),
    ...fixedText(rest),
    ...(interrupted ? [`interrupted by ${interrupted}; until then:`] : []),
    [verdictCounts(scenarios), [...tested, `sandbox ${sandbox.kind}`, seconds(durationMs)].join(', ')].join(
      '; ',
    ),
  ].join('\n')
}

/** How many scenarios there are of each verdict. */
export function verdictCounts(scenarios: readonly ScenarioResult[]): string {
  const counts = ['pass', 'known', 'leak', 'collateral', 'inconclusive', 'skipped'].flatMap(verdict => {
    const count = scenarios.filter(scenario => scenario.verdict === verdict).length
    return count > 0 || verdict === 'pass' ? `${count} ${verdict}` : []
  })
  return counts.join(', ')
}

/** The entries of the list of known leaks that have to go. */
export function fixedText({ fixed = [] }: Pick<Report, 'fixed'>): string[] {
  if (fixed.length === 0) return []
  const lines = fixed.map(one => `  ${one}`)
  return ['known leaks that are there no more; take them out with --update-known:', ...lines]
}

/** Explains that the commands of the findings cannot be run any more. */
function afterwards(scenarios: ScenarioResult[], verbose: boolean): string[] {
  const hasCommands = ({ verdict, verdicts }: ScenarioResult) =>
    (verdict !== 'known' || verbose) && verdicts.some(({ result }) => result !== 'pass')
  if (!scenarios.some(hasCommands)) return []
  const copies = scenarios.some(({ kept }) => kept) ? '; "its files" names a copy of what was in it' : ''
  return [`The commands ($ ...) work inside a sandbox that runs, and each sandbox has ended${copies}.`]
}

function reasons(ignored: { why: string }[]): string {
  return [...new Set(ignored.map(({ why }) => why))].join('; ')
}
