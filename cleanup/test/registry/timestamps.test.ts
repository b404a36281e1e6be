import { expect, test } from 'vitest'
import { parseTimestamp } from '../../registry/timestamps.ts'

test('what a time may mean', () => {
  const noon = Date.parse('2026-01-01T12:00:00Z')
  const at = { earliest: noon, latest: noon }
  for (const told of [
    '2026-01-01T12:00:00Z',
    '2026-01-01T14:00:00.000+02:00',
    '2026-01-01T07:00:00-0500',
    'Thu, 01 Jan 2026 12:00:00 GMT',
    '2026-01-01 12:00:00 UTC',
    noon / 1_000,
    noon,
  ])
    expect(parseTimestamp(told)).toEqual(at)
  const local = noon + new Date(noon).getTimezoneOffset() * 60_000
  expect(parseTimestamp('2026-01-01T12:00:00')).toEqual({
    earliest: Math.min(noon, local),
    latest: Math.max(noon, local),
  })
  for (const told of [undefined, null, 'yesterday', {}])
    expect(parseTimestamp(told)).toEqual({ earliest: Number.NaN, latest: Number.NaN })
})
