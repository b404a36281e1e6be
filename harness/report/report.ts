import type { ChosenSandbox } from '../sandbox/start.ts'
import { exitCodes, signalled } from './exit-codes.ts'
import type { ScenarioResult } from './scenario-result.ts'

/** The machine-readable report (`--json`). `schemaVersion` grows when a field is removed or changes its meaning. */
export interface Report {
  schemaVersion: 1
  startedAt: string
  durationMs: number
  system: string
  sandbox: ChosenSandbox
  exitCode: number
  /** The signal that interrupted the run. Scenarios that had not ended are not in the report. */
  interrupted?: NodeJS.Signals
  scenarios: ScenarioResult[]
  /** Errors outside of any scenario. */
  errors: string[]
}

/** When and where the run began, and the signal that interrupted it. */
interface Run extends Pick<Report, 'system' | 'sandbox'> {
  beginning: Beginning
  interrupted: NodeJS.Signals | undefined
}

/** The time of day, and for the duration the monotonic clock, ms. */
interface Beginning {
  at: Date
  clock: number
}

export function beginning(): Beginning {
  return { at: new Date(), clock: performance.now() }
}

/** The times in a report, for a run that ends now. */
export function duration({ at, clock }: Beginning): Pick<Report, 'startedAt' | 'durationMs'> {
  return { startedAt: at.toISOString(), durationMs: Math.round(performance.now() - clock) }
}

/** The report of a run that ends now. */
export function makeReport(
  { beginning, system, sandbox, interrupted }: Run,
  { results, errors }: { results: ScenarioResult[]; errors: string[] },
): Report {
  const measured = { scenarios: results, errors }
  return {
    schemaVersion: 1,
    ...duration(beginning),
    system,
    sandbox,
    exitCode: interrupted ? signalled(interrupted) : exitCode(measured),
    ...(interrupted ? { interrupted } : {}),
    ...measured,
  }
}

/** A leak that was found is certain, even if something else could not be measured. */
function exitCode({ scenarios, errors }: Pick<Report, 'scenarios' | 'errors'>): number {
  const verdicts = scenarios.map(({ verdict }) => verdict)
  if (verdicts.some(verdict => verdict === 'leak' || verdict === 'collateral')) return exitCodes.found
  if (errors.length > 0 || verdicts.includes('inconclusive') || !verdicts.includes('pass'))
    return exitCodes.inconclusive
  return exitCodes.passed
}
