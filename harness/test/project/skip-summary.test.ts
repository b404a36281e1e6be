import { expect, test } from 'vitest'
import { skipSummary } from '../../../test/skip-summary.ts'

test('the end of a run counts the tests that did not run, by reason', () => {
  const [engine, tini] = ['no container engine that answers', 'no tini on the PATH'].map(note => ({
    note,
    tags: [],
  }))
  const long = { tags: ['long'] }
  const filtered = { tags: [] }
  const needsTiniToo = { note: 'no tini on the PATH', tags: ['long'] }
  expect(
    skipSummary([engine, tini, long, tini, filtered, needsTiniToo, long].filter(one => one !== undefined)),
  ).toEqual([
    '3 skipped: no tini on the PATH',
    '2 skipped: long; npm run test:all runs these too',
    '1 skipped: no container engine that answers',
  ])
  expect(skipSummary([filtered])).toEqual([])
})
