import { unjudged } from './known.ts'
import { exitCodeOf, type Report } from './report.ts'
import { redVerdict } from './scenario-result.ts'

/** What a report says of itself and is not so, in sentences without their ends: its merge would believe it. */
export function contradictions(report: Report): string[] {
  const { run, scenarios, exitCode } = report
  const { shard } = run
  const mistakes = scenarios.flatMap((result, at) => {
    const { verdict } = unjudged(result)
    const found = result.soak ? verdict : redVerdict(result)
    const isPlain = verdict === 'pass' || verdict === 'skipped' || verdict === 'inconclusive'
    const isRight = isPlain ? found === 'inconclusive' || result.soak : found === verdict
    return isRight
      ? []
      : `scenarios[${at}].verdict: expected ${JSON.stringify(found)} by what it found, and found "${result.verdict}"`
  })
  if (shard && shard.index > shard.count)
    mistakes.push(`run.shard: expected one of ${shard.count}, and found ${shard.index}`)
  const expected = exitCodeOf(report)
  if (mistakes.length === 0 && exitCode !== expected)
    mistakes.push(`exitCode: expected ${expected} by its scenarios and errors, and found ${exitCode}`)
  return mistakes
}
