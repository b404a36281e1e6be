import type { Finding } from '../verdict/verdict.ts'
import type { KnownMechanism } from './known-leak.ts'
import type { ScenarioResult } from './scenario-result.ts'

/** What is known of a scenario, in sentences: how many findings there are of how many, until when, and why. */
export function knownTexts({ known = [], ...result }: ScenarioResult): string[] {
  const counts = found(result)
  return known.map(
    ({ mechanism, count, reason, expires }) =>
      `known until ${expires}: ${counts.get(mechanism) ?? 0} ${mechanism} of at most ${count} (${reason})`,
  )
}

/** How many findings there are of each mechanism. What several verdicts of a scenario found counts once. */
export function found({
  verdicts,
  unmet,
}: Pick<ScenarioResult, 'verdicts' | 'unmet'>): Map<KnownMechanism, number> {
  const findings = new Map<string, Finding>()
  for (const { leaks, collateral } of verdicts)
    for (const one of [...leaks, ...collateral]) findings.set(one.id, one)
  const counts = new Map<KnownMechanism, number>()
  for (const { mechanism } of findings.values()) counts.set(mechanism, (counts.get(mechanism) ?? 0) + 1)
  if (unmet.length > 0) counts.set('expectation', unmet.length)
  return counts
}
