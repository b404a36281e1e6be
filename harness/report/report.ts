import type { ChosenSandbox } from '../sandbox/start.ts'
import { exitCodes } from './exit-codes.ts'
import type { ScenarioResult } from './scenario-result.ts'

/** The machine-readable report (`--json`). `schemaVersion` grows when a field changes its meaning or goes. */
export interface Report {
  schemaVersion: 1
  startedAt: string
  durationMs: number
  system: string
  sandbox: ChosenSandbox
  exitCode: number
  scenarios: ScenarioResult[]
  /** What went wrong outside of any scenario. */
  errors: string[]
}

/** The report of a run that ends now. */
export function makeReport(
  { startedAt, system, sandbox }: { startedAt: Date; system: string; sandbox: ChosenSandbox },
  { results, errors }: { results: ScenarioResult[]; errors: string[] },
): Report {
  const measured = { scenarios: results, errors }
  return {
    schemaVersion: 1,
    startedAt: startedAt.toISOString(),
    durationMs: Date.now() - startedAt.getTime(),
    system,
    sandbox,
    exitCode: exitCode(measured),
    ...measured,
  }
}

/** A leak that was found is certain, whatever else could not be measured. */
function exitCode({ scenarios, errors }: Pick<Report, 'scenarios' | 'errors'>): number {
  const verdicts = scenarios.map(({ verdict }) => verdict)
  if (verdicts.some(verdict => verdict === 'leak' || verdict === 'collateral')) return exitCodes.found
  if (errors.length > 0 || verdicts.includes('inconclusive') || !verdicts.includes('pass'))
    return exitCodes.inconclusive
  return exitCodes.passed
}
