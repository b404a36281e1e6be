import { expect, test } from 'vitest'
import { exposition, type Family } from '../../metrics/exposition.ts'
import { Histogram } from '../../metrics/histogram.ts'
import { parsePrometheus } from '../support/prometheus.ts'

const gauge = (labels: Record<string, string>, value: number): Family => ({
  name: 'leakrig_x',
  help: 'A \\ and\na line.',
  type: 'gauge',
  samples: [{ labels, value }],
})

test.each([
  'plain',
  '',
  'a "quoted" \\ path',
  'two\nlines',
  'back\\nslash-n',
  '{le="1"} 2',
  'ü €',
  '\\',
  '"',
])('the label %j is parsed back unchanged', label => {
  const family = parsePrometheus(exposition([gauge({ workspace: label, b: label }, 1)])).get('leakrig_x')
  expect(family?.samples).toEqual([{ name: 'leakrig_x', labels: { workspace: label, b: label }, value: 1 }])
  expect(family?.help).toBe('A \\ and\na line.')
})

test('a label has no control character and no half of a surrogate pair', () => {
  const text = exposition([gauge({ a: 'x\ud800\u001b[2J\u202e' }, 1)])
  expect(parsePrometheus(text).get('leakrig_x')?.samples[0]?.labels.a).toBe('x\\u{d800}\\u{1b}[2J\\u{202e}')
})

test.each([0, -1.5, 1e21, 1.25e-7, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])(
  'the value %d is parsed back unchanged',
  value => {
    expect(parsePrometheus(exposition([gauge({}, value)])).get('leakrig_x')?.samples[0]?.value).toBe(value)
  },
)

test('a family without samples is left out', () => {
  expect(exposition([{ ...gauge({}, 1), samples: [] }])).toBe('')
})

test.each(['a-b', '1a', ''])('the name %j is refused', name => {
  expect(() => exposition([{ ...gauge({}, 1), name }])).toThrow('is not a name')
  expect(() => exposition([gauge({ [name]: 'x' }, 1)])).toThrow('is not a name')
})

test('a histogram counts each value in every bucket whose bound it does not exceed', () => {
  const histogram = new Histogram([1, 2.5])
  for (const value of [0.5, 1, 2, 7]) histogram.observe(value)
  const family: Family = { name: 'h_seconds', help: 'h', type: 'histogram', samples: histogram.samples() }
  const samples = parsePrometheus(exposition([family])).get('h_seconds')?.samples
  expect(samples?.map(({ name, labels, value }) => [name, labels.le, value])).toEqual([
    ['h_seconds_bucket', '1', 2],
    ['h_seconds_bucket', '2.5', 3],
    ['h_seconds_bucket', '+Inf', 4],
    ['h_seconds_sum', undefined, 10.5],
    ['h_seconds_count', undefined, 4],
  ])
})

const head = '# HELP a x\n# TYPE a gauge\n'
const histogram = (lines: string) => `# HELP h x\n# TYPE h histogram\n${lines}h_sum 1\n`
test.each([
  ['a last line without an end', `${head}a 1`],
  ['no TYPE', '# HELP a x\na 1\n'],
  ['a sample of another family', `${head}b 1\n`],
  ['a family in two places', `${head}a 1\n${head}a 2\n`],
  ['no sample', head],
  ['a series twice', `${head}a{x="1",y="2"} 1\na{y="2",x="1"} 2\n`],
  ['a label twice', `${head}a{x="1",x="2"} 1\n`],
  ['an open quote', `${head}a{x="1""} 1\n`],
  ['a wrong escape', `${head}a{x="\\t"} 1\n`],
  ['a wrong number', `${head}a Infinity\n`],
  ['a counter without _total', '# HELP a x\n# TYPE a counter\na 1\n'],
  ['a histogram without +Inf', histogram('h_bucket{le="1"} 1\nh_count 1\n')],
  ['buckets that do not add up', histogram('h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_count 1\n')],
  ['another count', histogram('h_bucket{le="+Inf"} 1\nh_count 2\n')],
])('the parser of these tests refuses %s', (_, text) => {
  expect(() => parsePrometheus(text)).toThrow()
})
