import { expect, test } from 'vitest'
import { mergedReport, notOneRun, resultsOfShards, type ShardReport } from '../../report/merge.ts'
import type { Report, Run } from '../../report/report.ts'
import { aReport, aRun, green, red } from '../support/reports.ts'

const shard = (
  index: number,
  results = [green(`s${index}`)],
  more: Partial<Report> = {},
  run: Partial<Run> = {},
) => ({
  from: `folder-${index}`,
  report: aReport(results, { run: aRun({ shard: { index, count: 3 }, ...run }), ...more }),
})
const all = () => [shard(2), shard(1), shard(3)]
const merge = (shards: ShardReport[]) => mergedReport(shards, { results: resultsOfShards(shards) })

test('the shards of a run are one report, in their order, of a whole run', () => {
  const report = merge(all())
  expect(report.scenarios.map(({ name }) => name)).toEqual(['s1', 's2', 's3'])
  expect(report).toMatchObject({ exitCode: 0, errors: [], systems: ['mine'] })
  expect(report.run).toEqual(aRun())
  expect(notOneRun(all())).toBeUndefined()
})

test('it began with the first shard, and took as long as at least one of them ran', () => {
  const at = (startedAt: string, durationMs: number) => ({
    startedAt: `2026-12-01T00:00:${startedAt}.000Z`,
    durationMs,
  })
  const times = [at('10', 5_000), at('00', 7_000), at('02', 1_000)]
  const shards = all().map(({ from, report }, index) => ({ from, report: { ...report, ...times[index] } }))
  // 0 to 7 s, with one shard inside, and 10 to 15 s.
  expect(merge(shards)).toMatchObject(at('00', 12_000))
})

test.each<[string, ShardReport[], string, number]>([
  ['a missing shard', all().slice(1), 'Shard 2/3 is missing, so that nothing is known of its scenarios.', 3],
  [
    'a shard that was interrupted',
    [shard(1), shard(2), shard(3, [], { interrupted: 'SIGTERM' })],
    'shard 3/3 was interrupted by SIGTERM: scenarios that had not ended are missing.',
    3,
  ],
  ['a shard without a scenario', [shard(1), shard(2), shard(3, [])], 'shard 3/3 has no scenario.', 3],
  [
    'an error of a shard',
    [shard(1), shard(2), shard(3, undefined, { errors: ['a worker ended'] })],
    'shard 3/3: a worker ended',
    3,
  ],
  [
    'a leak beside a missing shard',
    [shard(1), shard(2, [red('x')])],
    'Shard 3/3 is missing, so that nothing is known of its scenarios.',
    1,
  ],
])('%s is never a pass', (_, shards, error, exitCode) => {
  const report = merge(shards)
  expect(report.errors).toContain(error)
  expect(report.exitCode).toBe(exitCode)
})

test('a shard that only skips is no fault where others pass', () => {
  expect(merge([shard(1), shard(2), shard(3, [green('x', { verdict: 'skipped' })])]).exitCode).toBe(0)
})

test.each<[string, ShardReport[], string]>([
  ['no report', [], 'there is no report'],
  [
    'a whole run',
    [{ from: 'a', report: aReport([green('a')]) }],
    'a is the report of a whole run: it was written without --shard',
  ],
  ['one shard twice', [shard(1), shard(1)], 'folder-1 and folder-1 are both shard 1/3'],
  [
    'another version',
    [shard(1), shard(2, [], {}, { version: '0.2.0' })],
    'they are of the versions 0.1.0 and 0.2.0',
  ],
  [
    'another commit',
    [shard(1, [], {}, { commit: 'a1' }), shard(2, [], {}, { commit: 'b2-dirty' })],
    'they are of the commits a1 and b2-dirty',
  ],
  [
    'a package beside a clone',
    [shard(1), shard(2, [], {}, { commit: 'b2' })],
    'they are of the commits (none) and b2',
  ],
  [
    'another command',
    [shard(1), shard(2, [], {}, { command: 'catalogue' })],
    'they are of the commands scenarios and catalogue',
  ],
  [
    'another system',
    [shard(1), shard(2, [], {}, { systems: ['other'] })],
    'they tested the systems mine and other',
  ],
  [
    'another choice',
    [shard(1), shard(2, [], {}, { selection: ['crash'] })],
    'they were chosen by [] and ["crash"]',
  ],
  [
    'another number',
    [shard(1), shard(2, [], {}, { shard: { index: 2, count: 4 } })],
    'their numbers of shards are 3 and 4',
  ],
  [
    'another sandbox',
    [shard(1), shard(2, [], { sandbox: { kind: 'container', why: '' } })],
    'they ran in the sandboxes namespace and container',
  ],
])('%s is no part of the same run', (_, shards, sentence) => {
  expect(notOneRun(shards)).toContain(sentence)
})
