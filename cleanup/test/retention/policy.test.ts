import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { formatBytes, parseBytes } from '../../retention/bytes.ts'
import { classify } from '../../retention/classes.ts'
import { parsePolicy } from '../../retention/policy.ts'
import { policyFile, policyOf } from '../../retention/policy-file.ts'
import { Archive } from '../support/archive.ts'

let archive: Archive
beforeEach(async () => {
  archive = await Archive.make()
})
afterEach(() => archive[Symbol.asyncDispose]())

test.each([
  ['a_stream.jsonl', 'stream a'],
  ['a_stream.1.jsonl', 'stream a'],
  ['a_stream.12.jsonl.zst', 'stream a packed'],
  ['a_progress.jsonl.gz', 'progress a packed'],
  ['a-b_c_findings.jsonl', 'findings a-b_c'],
  ['deploy_a.json', 'deploy a'],
  ['deploy_a.2.json.gz', 'deploy a packed'],
  ['deploy_a.json.zst.part', 'deploy a packed draft'],
  // Ids that look like a class themselves.
  ['a_stream_stream.jsonl', 'stream a_stream'],
  ['deploy_b_progress.jsonl', 'progress deploy_b'],
])('%s is known', (name, what) => {
  const { class: kind, agentId, packed, draft } = classify(name) ?? {}
  expect([kind, agentId, packed && 'packed', draft && 'draft'].filter(Boolean).join(' ')).toBe(what)
})

test.each([
  'notes.txt',
  '_stream.jsonl',
  'a_stream.jsonl.bak',
  'a_stream.jsonl.part',
  'a_stream.jsonl\n',
  'a\nb_stream.jsonl',
  '-rf_stream.jsonl',
  'ü_stream.jsonl',
  'a.b_stream.jsonl',
  'a_stream.01.jsonl',
  'a_stream.json',
  'deploy_a.jsonl',
  `${'x'.repeat(129)}_stream.jsonl`,
])('%j is unknown', name => {
  expect(classify(name)).toBeUndefined()
})

test('sizes are read and written', () => {
  const read = ['0', '1024', '500M', '2G', '1.5GiB', '3kb', '1T'].map(parseBytes)
  expect(read).toEqual([0, 1024, 500 * 2 ** 20, 2 ** 31, 1.5 * 2 ** 30, 3072, 2 ** 40])
  expect([0, 999, 1536, 500 * 2 ** 20, 2 ** 31].map(formatBytes)).toEqual([
    '0B',
    '999B',
    '1.5K',
    '500M',
    '2.0G',
  ])
})

test('a policy is the default, for all classes, or per class', () => {
  expect(parsePolicy()).toEqual({
    keepDays: { stream: 7, progress: 7, findings: 7, deploy: 7 },
    keepLast: { stream: 0, progress: 0, findings: 0, deploy: 0 },
    maxBytes: {},
    compress: 'none',
  })
  expect(
    parsePolicy({
      keepDays: '0.5,findings=30',
      keepLast: 'deploy=2',
      maxBytes: '2G,stream=1G',
      minFree: '5%',
    }),
  ).toEqual({
    keepDays: { stream: 0.5, progress: 0.5, findings: 30, deploy: 0.5 },
    keepLast: { stream: 0, progress: 0, findings: 0, deploy: 2 },
    maxBytes: { all: 2 ** 31, stream: 2 ** 30 },
    minFree: { percent: 5 },
    compress: 'none',
  })
})

test.each([
  [{ keepDays: '-1' }, /keep-days "-1"/],
  [{ keepDays: '' }, /keep-days/],
  [{ keepDays: 'NaN' }, /expected days/],
  [{ keepDays: 'prompt=3' }, /stream, progress, findings, deploy/],
  [{ keepDays: '3,4' }, /said once/],
  [{ keepLast: '1.5' }, /whole number/],
  [{ maxBytes: 'lots' }, /500M/],
  [{ minFree: '500%' }, /1G or 5%/],
  [{ compress: 'rar' }, /none, zstd, gzip/],
])('%j is refused', (texts, said) => {
  expect(() => parsePolicy(texts)).toThrow(said)
})

test('a workspace has a policy of its own, and an option overrides it', async () => {
  const file = policyFile(archive.workspace)
  fs.writeFileSync(file, '{"keep-days": 3, "keep-last": "stream=5", "compress": "zstd"}')
  expect(await policyOf(archive.workspace, { keepDays: '9', compress: undefined })).toMatchObject({
    keepDays: { stream: 9 },
    keepLast: { stream: 5, deploy: 0 },
    compress: 'zstd',
  })
})

test.each(['{', '{"keepdays": 3}', '{"keep-days": [3]}', '{"keep-days": -3}', '[]'])(
  'the policy file %j is refused, and named',
  async text => {
    fs.writeFileSync(policyFile(archive.workspace), text)
    await expect(policyOf(archive.workspace)).rejects.toMatchObject({
      code: 'bad-argument',
      message: expect.stringContaining(policyFile(archive.workspace)),
    })
  },
)
