import type { PageEntry } from '../page-blocks.ts'
import type { ScenarioResult } from '../scenario-result.ts'

type Name = ScenarioResult['verdict']

/** Marks as the terminal has them, so that no verdict is shown by its colour alone. */
const marks: Record<Name, string> = {
  collateral: '✗',
  leak: '✗',
  inconclusive: '?',
  known: '~',
  pass: '✓',
  skipped: '–',
}

/** All verdicts, the worst first. */
export const verdictNames = Object.keys(marks) as Name[]

/** What each verdict says, in a word. */
export const words: Record<Name, string> = {
  collateral: 'collateral',
  leak: 'leak',
  inconclusive: 'inconclusive',
  known: 'known',
  pass: 'passed',
  skipped: 'skipped',
}

/** The worst first, and those of a verdict in the order of their files. */
export function bySeverity(one: PageEntry, other: PageEntry): number {
  return verdictNames.indexOf(one.verdict) - verdictNames.indexOf(other.verdict) || byPlace(one, other)
}

/** In the order of their files, as in the terminal, and then by name. */
export function byPlace(one: PageEntry, other: PageEntry): number {
  const [first, second] = [`${one.file}\n${one.name}`, `${other.file}\n${other.name}`]
  return first < second ? -1 : first > second ? 1 : 0
}

export const isRed = (verdict: Name): boolean => verdict === 'leak' || verdict === 'collateral'

/** The mark of a verdict. The word beside it, or a label around it, says the same to a screen reader. */
export function Mark({ verdict }: { verdict: Name }) {
  return (
    <span class={`mark ${verdict}`} aria-hidden="true">
      {marks[verdict]}
    </span>
  )
}

/** Mark and word. */
export function Verdict({ verdict }: { verdict: Name }) {
  return (
    <span class={`verdict ${verdict}`}>
      <Mark verdict={verdict} /> {words[verdict]}
    </span>
  )
}
