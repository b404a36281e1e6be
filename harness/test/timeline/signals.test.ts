import { expect, test } from 'vitest'
import { signalsIn } from '../../timeline/signals.ts'

const startedAt = Date.parse('2026-12-01T00:00:00.000Z')
const line = (more: Record<string, unknown> = {}) =>
  JSON.stringify({
    ...{ time: '2026-12-01T00:00:00.250Z', level: 'info', event: 'signal', by: 'daemon', cleaner: 9 },
    ...{ agent: 'a', signal: 'SIGTERM', pid: 7, start: 55, comm: 'claude', role: 'producer', ...more },
  })
const read = (...lines: string[]) => signalsIn(lines.join('\n'), startedAt, 1_000)

test('a signal has its time, its process as snapshots name it, and who sent it; they come by time', () => {
  const late = line({ time: '2026-12-01T00:00:00.900Z', signal: 'SIGKILL' })
  expect(read(late, line({ event: 'intent' }), line())).toEqual([
    {
      ...{ at: 250, signal: 'SIGTERM', process: 'process 7@55', pid: 7, comm: 'claude' },
      ...{ by: 'daemon', cleaner: 9, agent: 'a' },
    },
    expect.objectContaining({ at: 900, signal: 'SIGKILL' }),
  ])
})

test('what is no such line, or not of this time, is left out', () => {
  const wrong = [
    ...['', 'no JSON', '[]', 'null', '{"event":"signal"}', `${line()} and more`],
    ...[{ pid: -1 }, { pid: '7' }, { pid: 1.5 }, { start: null }, { comm: 'x'.repeat(200) }].map(line),
    ...[{ signal: 'SIGTERM\u001b[2J' }, { signal: 'kill' }, { signal: 15 }, { by: {} }].map(line),
    ...[{ time: 'now' }, { time: '2026-11-30T23:59:59.000Z' }, { time: '2026-12-01T00:00:02.000Z' }].map(
      line,
    ),
  ]
  expect(read(...wrong)).toEqual([])
})

test('of a log without end, only so much is kept', () => {
  expect(read(...Array.from({ length: 6_000 }, () => line()))).toHaveLength(5_000)
})
