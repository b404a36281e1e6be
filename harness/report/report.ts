import { z } from 'zod'
import { longestMs } from '../timeline/longest.ts'
import { timelineSchema } from '../timeline/timeline.ts'
import { exitCodes, type Interruption, interruptions, signalled } from './exit-codes.ts'
import { type ScenarioResult, scenarioResultSchema } from './scenario-result.ts'

/** As many as `--shard` takes. */
const shardNumber = z.int().positive().max(999)

/** Where a run was one of several, each of which ran a part of the test files. */
const shardSchema = z.object({ index: shardNumber, count: shardNumber })

/** What was run. Reports of one run's shards agree in all of it, apart from the shard itself. */
const runSchema = z.object({
  version: z.string().describe('The version of leakrig.'),
  commit: z
    .string()
    .describe('Of a clone: its commit, with -dirty where files differ from it.')
    .exactOptional(),
  command: z.enum(['scenarios', 'catalogue', 'soak']),
  systems: z
    .array(z.string())
    .describe('The systems that were chosen. A test file may start another one in their place.'),
  config: z.string().describe('The configuration, as it was given.').exactOptional(),
  selection: z
    .array(z.string())
    .describe('The filters and options that chose scenarios; empty where everything was run.'),
  shard: shardSchema.describe('Which part of the whole it was.').exactOptional(),
})

export type Run = z.infer<typeof runSchema>
export type Shard = z.infer<typeof shardSchema>

const sentences = z.array(z.string())

/** The machine-readable report of a run (`--json`, and `report.json` of `--report`). docs/ci.md says what is promised. */
export const reportSchema = z.object({
  schemaVersion: z.literal(2).describe('Grows when a field is removed or changes its meaning.'),
  run: runSchema,
  startedAt: z.iso.datetime('expected a time such as "2027-01-31T12:00:00.000Z"'),
  durationMs: z
    .number()
    .nonnegative()
    .max(longestMs)
    .describe('Of merged shards: how long at least one of them ran.'),
  systems: sentences.describe('The systems that were tested, in order.'),
  sandbox: z.object({
    kind: z.enum(['container', 'namespace']),
    why: z.string().describe('Why it was chosen.'),
  }),
  exitCode: z.int().nonnegative(),
  interrupted: z
    .enum(interruptions)
    .describe('The signal that interrupted the run. Scenarios that had not ended are not in the report.')
    .exactOptional(),
  scenarios: z.array(scenarioResultSchema).describe('The results of all systems.'),
  fixed: sentences
    .describe('Known leaks that are there no more; they have to be taken out of the list.')
    .exactOptional(),
  errors: sentences.describe('Errors outside of any scenario.'),
})

/** A report with the time lines of its scenarios, which `timelines.json` has. */
export interface Report extends z.infer<typeof reportSchema> {
  scenarios: ScenarioResult[]
}

/** The file beside a report with the time line of each scenario. */
export const timelinesSchema = z.object({
  schemaVersion: reportSchema.shape.schemaVersion,
  timelines: z.array(
    z.object({
      ...scenarioResultSchema.pick({ system: true, name: true }).shape,
      timeline: timelineSchema.exactOptional(),
    }),
  ),
})

/** What was run, when and where it began, and the signal that interrupted it. */
interface Circumstances extends Pick<Report, 'run' | 'sandbox'> {
  beginning: Beginning
  interrupted: Interruption | undefined
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
  { beginning: { at, clock }, run, sandbox, interrupted, fixed = [] }: Circumstances,
  { results, errors }: { results: ScenarioResult[]; errors: string[] },
): Report {
  const systems = [...new Set(results.map(({ system }) => system))]
  const measured = { systems, scenarios: results, ...(fixed.length > 0 && { fixed }), errors }
  return {
    schemaVersion: 2,
    run,
    startedAt: at.toISOString(),
    durationMs: Math.round(performance.now() - clock),
    sandbox,
    exitCode: exitCodeOf({ ...measured, ...(interrupted && { interrupted }) }),
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

/** The exit code of a run: that of its signal, or of what it measured. */
export function exitCodeOf(
  report: Pick<Report, 'systems' | 'scenarios' | 'fixed' | 'errors' | 'interrupted'>,
): number {
  return report.interrupted ? signalled(report.interrupted) : exitCode(report)
}

/** A leak that was found is certain, even if something else could not be measured. Each system has to pass something. */
export function exitCode(report: Pick<Report, 'systems' | 'scenarios' | 'fixed' | 'errors'>): number {
  const verdicts = report.scenarios.map(({ verdict }) => verdict)
  if (verdicts.some(verdict => verdict === 'leak' || verdict === 'collateral')) return exitCodes.found
  if (report.fixed) return exitCodes.found
  const hasPassed = (system: string) =>
    resultsOf(report, system).some(({ verdict }) => verdict === 'pass' || verdict === 'known')
  const isMeasured =
    report.errors.length === 0 && !verdicts.includes('inconclusive') && report.systems.every(hasPassed)
  return isMeasured && report.systems.length > 0 ? exitCodes.passed : exitCodes.inconclusive
}
