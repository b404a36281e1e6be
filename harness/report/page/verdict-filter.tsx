import type { PageEntry } from '../page-blocks.ts'
import { Mark, verdictNames, words } from './verdicts.tsx'

interface Props {
  scenarios: PageEntry[]
  chosen: readonly PageEntry['verdict'][]
  toggle: (verdict: PageEntry['verdict']) => void
}

/** A button for each verdict that there is. Where there is one only, it would change nothing. */
export function VerdictFilter({ scenarios, chosen, toggle }: Props) {
  const counts = verdictNames.map(
    name => [name, scenarios.filter(({ verdict }) => verdict === name).length] as const,
  )
  const present = counts.filter(([, count]) => count > 0)
  if (present.length < 2) return null
  return (
    <fieldset class="chips">
      <legend class="hidden">Verdicts</legend>
      {present.map(([name, count]) => (
        <button key={name} type="button" aria-pressed={chosen.includes(name)} onClick={() => toggle(name)}>
          <Mark verdict={name} /> {words[name]} <span class="count">{count}</span>
        </button>
      ))}
    </fieldset>
  )
}
