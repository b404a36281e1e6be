import type { ChosenSandbox } from '../sandbox/start.ts'
import { exitCodes, signalled } from './exit-codes.ts'
import type { ScenarioResult } from './scenario-result.ts'

/**
 * The machine-readable report of a run (`--json`), of the scenarios or of the catalogue, for one system or several.
 * `schemaVersion` grows when a field is removed or changes its meaning.
 */
export interface Report {
  schemaVersion: 2
  startedAt: string
  durationMs: number
  /** The systems that were tested, in order. */
  systems: string[]
  sandbox: ChosenSandbox
  exitCode: number
  /** The signal that interrupted the run. Scenarios that had not ended are not in the report. */
  interrupted?: NodeJS.Signals
  /** The results of all systems. */
  scenarios: ScenarioResult[]
  /** Known leaks that are there no more, in sentences; they have to be taken out of the list. */
  fixed?: string[]
  /** Errors outside of any scenario. */
  errors: string[]
}

/** When and where the run began, and the signal that interrupted it. */
interface Run extends Pick<Report, 'sandbox'> {
  beginning: Beginning
  interrupted: NodeJS.Signals | undefined
  fixed?: string[]
}

/** The time of day, and for the duration the monotonic clock, ms. */
interface Beginning {
  at: Date
  clock: number
}

export function beginning(): Beginning {
  return { at: new Date(), clock: performance.now() }
}

/** The report of a run that ends now. */
export function makeReport(
  { beginning: { at, clock }, sandbox, interrupted, fixed = [] }: Run,
  { results, errors }: { results: ScenarioResult[]; errors: string[] },
): Report {
  const systems = [...new Set(results.map(({ system }) => system))]
  const measured = { systems, scenarios: results, ...(fixed.length > 0 && { fixed }), errors }
  return {
    schemaVersion: 2,
    startedAt: at.toISOString(),
    durationMs: Math.round(performance.now() - clock),
    sandbox,
    exitCode: interrupted ? signalled(interrupted) : exitCode(measured),
    ...(interrupted ? { interrupted } : {}),
    ...measured,
  }
}

/** The report as `--json` writes it: without the time lines, which are long. */
export function withoutTimelines(report: Report): Report {
  return { ...report, scenarios: report.scenarios.map(({ timeline: _, ...one }) => one) }
}

/** The results of one system. */
export function resultsOf({ scenarios }: Pick<Report, 'scenarios'>, system: string): ScenarioResult[] {
  return scenarios.filter(one => one.system === system)
}

/** A leak that was found is certain, even if something else could not be measured. Each system has to pass something. */
function exitCode(report: Pick<Report, 'systems' | 'scenarios' | 'fixed' | 'errors'>): number {
  const verdicts = report.scenarios.map(({ verdict }) => verdict)
  if (verdicts.some(verdict => verdict === 'leak' || verdict === 'collateral')) return exitCodes.found
  if (report.fixed) return exitCodes.found
  const hasPassed = (system: string) =>
    resultsOf(report, system).some(({ verdict }) => verdict === 'pass' || verdict === 'known')
  const isMeasured =
    report.errors.length === 0 && !verdicts.includes('inconclusive') && report.systems.every(hasPassed)
  return isMeasured && report.systems.length > 0 ? exitCodes.passed : exitCodes.inconclusive
}
