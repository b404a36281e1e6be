import type { ChosenSandbox } from '../sandbox/start.ts'
import { exitCodes, signalled } from './exit-codes.ts'
import type { ScenarioResult } from './scenario-result.ts'

/** The machine-readable report (`--json`). `schemaVersion` grows when a field changes its meaning or goes. */
export interface Report {
  schemaVersion: 1
  startedAt: string
  durationMs: number
  system: string
  sandbox: ChosenSandbox
  exitCode: number
  /** Ended before its end, by this signal: there is no verdict on what is not among the scenarios. */
  interrupted?: NodeJS.Signals
  scenarios: ScenarioResult[]
  /** What went wrong outside of any scenario. */
  errors: string[]
}

/** When and on what the run began, and the signal that ended it before its end. */
interface Run extends Pick<Report, 'system' | 'sandbox'> {
  beginning: Beginning
  interrupted: NodeJS.Signals | undefined
}

/** The time of day, and for the duration a clock that nobody sets, ms. */
interface Beginning {
  at: Date
  clock: number
}

export function beginning(): Beginning {
  return { at: new Date(), clock: performance.now() }
}

/** What a report says of when it was: it ends now. */
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

/** A leak that was found is certain, whatever else could not be measured. */
function exitCode({ scenarios, errors }: Pick<Report, 'scenarios' | 'errors'>): number {
  const verdicts = scenarios.map(({ verdict }) => verdict)
  if (verdicts.some(verdict => verdict === 'leak' || verdict === 'collateral')) return exitCodes.found
  if (errors.length > 0 || verdicts.includes('inconclusive') || !verdicts.includes('pass'))
    return exitCodes.inconclusive
  return exitCodes.passed
}
