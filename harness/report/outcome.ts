import type { ScenarioResult } from './scenario-result.ts'
import { seconds } from './text.ts'

/** The outcome of a scenario in a few words: "27 leaked", "back in 1.9 s". */
export function outcome({ verdict, verdicts, errors }: ScenarioResult): string {
  const last = verdicts.at(-1)
  if (verdict === 'pass') return `back in ${seconds(last?.msToBaseline ?? 0)}`
  if (verdict === 'known') return 'known'
  if (verdict === 'skipped' || verdict === 'inconclusive') return verdict
  const leaks = last?.leaks.length ?? 0
  const collateral = last?.collateral.length ?? 0
  const found = [leaks && `${leaks} leaked`, collateral && `${collateral} collateral`].filter(Boolean)
  return found.length > 0 ? found.join(', ') : `expectations not met: ${errors.length}`
}
