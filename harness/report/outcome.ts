import type { ScenarioResult } from './scenario-result.ts'
import { seconds } from './text.ts'

/** The outcome of a scenario in a few words: "27 leaked", "back in 1.9 s". */
export function outcome({ verdict, verdicts, errors, soak }: ScenarioResult): string {
  const last = verdicts.at(-1)
  if (verdict === 'pass') return soak ? 'flat' : `back in ${seconds(last?.msToBaseline ?? 0)}`
  if (verdict === 'known') return 'known'
  if (verdict === 'skipped' || verdict === 'inconclusive') return verdict
  const growing = soak?.slopes.filter(slope => slope.verdict === 'leak').length ?? 0
  const leaks = last?.leaks.length ?? 0
  const collateral = last?.collateral.length ?? 0
  const found = [
    growing && `${growing} growing`,
    leaks && `${leaks} leaked`,
    collateral && `${collateral} collateral`,
    soak?.verdict === 'collateral' && 'collateral',
  ].filter(Boolean)
  return found.length > 0 ? found.join(', ') : `expectations not met: ${errors.length}`
}
