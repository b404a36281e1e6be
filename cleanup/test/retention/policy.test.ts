import { expect, test } from 'vitest'
import { classify } from '../../retention/classes.ts'
import { parsePolicy } from '../../retention/policy.ts'

test.each([
  ['a_stream.jsonl', 'stream a'],
  ['a_stream.1.jsonl', 'stream a'],
  ['a_stream.12.jsonl.zst', 'stream a compressed'],
  ['a_progress.jsonl.gz', 'progress a compressed'],
  ['a-b_c_findings.jsonl', 'findings a-b_c'],
  ['deploy_a.json', 'deploy a'],
  ['deploy_a.2.json.gz', 'deploy a compressed'],
  ['deploy_a.json.zst.part', 'deploy a compressed draft'],
  // Ids that look like a class themselves.
  ['a_stream_stream.jsonl', 'stream a_stream'],
  ['deploy_b_progress.jsonl', 'progress deploy_b'],
])('%s has the class %s', (name, expected) => {
  const { class: kind, agentId, compressed, draft } = classify(name) ?? {}
  const found = [kind, agentId, compressed && 'compressed', draft && 'draft']
  expect(found.filter(Boolean).join(' ')).toBe(expected)
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
])('%j has no class', name => {
  expect(classify(name)).toBeUndefined()
})

test('a policy has defaults, and one value for all classes', () => {
  expect(parsePolicy()).toEqual({ keepDays: 7, keepLast: 0 })
  expect(parsePolicy({ keepDays: '0.5', keepLast: '2', maxBytes: '2G', minFree: '5%' })).toEqual({
    keepDays: 0.5,
    keepLast: 2,
    maxBytes: 2 ** 31,
    minFree: { percent: 5 },
  })
})

test.each([
  [{ keepDays: '-1' }, /^--keep-days "-1" is refused/],
  [{ keepDays: '' }, /keep-days/],
  [{ keepDays: 'NaN' }, /expected one number of days, as in 7 or 0\.5\.$/],
  // Earlier versions had values per class.
  [{ keepDays: 'stream=3,findings=30' }, /expected one number of days/],
  [{ keepLast: '1.5' }, /one whole number/],
  [{ maxBytes: 'lots' }, /one size, as in 500M or 2G/],
  [{ minFree: '500%' }, /1G or 5%/],
])('%j is refused', (texts, message) => {
  expect(() => parsePolicy(texts)).toThrow(message)
})
