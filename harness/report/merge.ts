import { exitCode, type Report } from './report.ts'
import type { ScenarioResult } from './scenario-result.ts'

/** A report of a shard, and the folder or file that it was read from. */
export interface ShardReport {
  from: string
  report: Report
}

/**
 * Why reports are not the shards of one run, in a sentence without its end; undefined where they are. A missing shard is no
 * reason.
 */
export function notOneRun(shards: readonly ShardReport[]): string | undefined {
  const [first, ...others] = shards
  if (!first) return 'there is no report'
  for (const { from, report } of shards)
    if (!report.run.shard) return `${from} is the report of a whole run: it was written without --shard`
  for (const other of others) {
    const difference = differences.find(({ of }) => of(first.report) !== of(other.report))
    if (difference)
      return `${first.from} and ${other.from} are not of one run: ${difference.what} ${difference.of(first.report)} and ${difference.of(other.report)}`
  }
  const index = ({ report }: ShardReport) => report.run.shard?.index
  const twice = shards.find((one, at) => shards.findIndex(other => index(other) === index(one)) < at)
  const before = shards.find(one => twice && index(one) === index(twice))
  return twice && `${before?.from} and ${twice.from} are both shard ${shardText(twice.report)}`
}

const differences: { what: string; of: (report: Report) => string }[] = [
  { what: 'they are of the versions', of: ({ run }) => run.version },
  { what: 'they are of the commits', of: ({ run }) => run.commit ?? '(none)' },
  { what: 'they are of the commands', of: ({ run }) => run.command },
  { what: 'they tested the systems', of: ({ run }) => run.systems.join(', ') },
  { what: 'they were chosen by', of: ({ run }) => JSON.stringify(run.selection) },
  { what: 'their numbers of shards are', of: ({ run }) => String(run.shard?.count) },
  { what: 'they ran in the sandboxes', of: ({ sandbox }) => sandbox.kind },
]

const shardText = ({ run: { shard } }: Report): string => `${shard?.index}/${shard?.count}`

/** The shards that no report is of: `3/5`. */
export function missingShards(shards: readonly ShardReport[]): string[] {
  const count = shards[0]?.report.run.shard?.count ?? 0
  const there = new Set(shards.map(({ report }) => report.run.shard?.index))
  const all = Array.from({ length: count }, (_, at) => at + 1)
  return all.filter(index => !there.has(index)).map(index => `${index}/${count}`)
}

/**
 * One report of the shards of a run. A shard that is missing, was interrupted, or has no scenario is an error, so that the
 * whole is never a pass.
 */
export function mergedReport(
  shards: readonly ShardReport[],
  { results, fixed = [], ...more }: { results: ScenarioResult[]; fixed?: string[]; errors?: string[] },
): Report {
  const sorted = inOrder(shards)
  const reports = sorted.map(({ report }) => report)
  const [first] = reports
  if (!first) throw new Error('There is no shard to merge.')
  const { shard: _, ...run } = first.run
  const errors = [
    ...missingShards(shards).map(
      one => `Shard ${one} is missing, so that nothing is known of its scenarios.`,
    ),
    ...reports.flatMap(shardErrors),
    ...(more.errors ?? []),
  ]
  const spans = reports.map(({ startedAt, durationMs }) => {
    const from = Date.parse(startedAt)
    return { from, to: from + durationMs }
  })
  const systems = [...new Set(reports.flatMap(report => report.systems))]
  const measured = { systems, scenarios: results, ...(fixed.length > 0 && { fixed }), errors }
  return {
    schemaVersion: first.schemaVersion,
    run,
    startedAt: new Date(Math.min(...spans.map(({ from }) => from))).toISOString(),
    durationMs: coveredMs(spans),
    sandbox: first.sandbox,
    exitCode: exitCode(measured),
    ...measured,
  }
}

/** How long at least one shard ran. Shards that run one after the other may have hours between them. */
function coveredMs(spans: readonly { from: number; to: number }[]): number {
  let until = -Infinity
  let covered = 0
  for (const { from, to } of spans.toSorted((one, other) => one.from - other.from)) {
    covered += Math.max(0, to - Math.max(from, until))
    until = Math.max(until, to)
  }
  return covered
}

function inOrder(shards: readonly ShardReport[]): ShardReport[] {
  const index = ({ report }: ShardReport) => report.run.shard?.index ?? 0
  return shards.toSorted((one, other) => index(one) - index(other))
}

/** The results of all shards, in their order. */
export const resultsOfShards = (shards: readonly ShardReport[]): ScenarioResult[] =>
  inOrder(shards).flatMap(({ report }) => report.scenarios)

function shardErrors(report: Report): string[] {
  const { interrupted, scenarios, errors } = report
  const shard = `shard ${shardText(report)}`
  return [
    ...errors.map(text => `${shard}: ${text}`),
    ...(interrupted
      ? [`${shard} was interrupted by ${interrupted}: scenarios that had not ended are missing.`]
      : []),
    ...(scenarios.length === 0 ? [`${shard} has no scenario.`] : []),
  ]
}
