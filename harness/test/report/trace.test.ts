import { expect, test } from 'vitest'
import type { Report } from '../../report/report.ts'
import { makeTrace } from '../../report/trace.ts'
import { count } from '../../timeline/counts.ts'
import type { Life, Signal, Timeline } from '../../timeline/timeline.ts'

const startedAt = '2026-12-01T00:00:00.000Z'

const life = (id: string, more: Partial<Life>): Life => ({ id, kind: 'process', what: id, from: 0, ...more })

/** A scenario that began 500 ms after its run, and whose last snapshot was taken 1,000 ms later. */
function report(lives: Life[], leaks: string[], signals: Signal[] = []): Report {
  const counts = { ...count([]), sessions: 2, memory: 5 }
  const timeline: Timeline = {
    startedAt: Date.parse(startedAt) + 500,
    endedAt: 1_000,
    steps: [{ what: 'is killed', agent: 'a', at: 10 }],
    samples: [{ at: 20, counts }],
    lives,
    ...(signals.length > 0 && { signals }),
  }
  const verdicts = [{ leaks: leaks.map(id => ({ id })) }]
  const scenarios = [{ name: 'a kill', verdict: 'leak', verdicts, timeline }]
  return { startedAt, scenarios } as unknown as Report
}

test('a resource is a thread of its scenario, from its first snapshot to its end, or to the end of the trace', () => {
  const lives = [
    life('without owner', { from: 5, isBaseline: true }),
    life('of b', { agent: 'b', from: 100, to: 300 }),
    life('of a', { agent: 'a', evidence: 'its name', from: 200 }),
  ]
  const { traceEvents } = makeTrace(report(lives, ['of a']))
  const slices = traceEvents.filter(({ ph }) => ph === 'X')
  expect(slices.map(({ name, ts, dur, args }) => [name, ts, dur, args?.state])).toEqual([
    ['of a', 700_000, 800_000, 'leaked'],
    ['of b', 600_000, 200_000, 'ended'],
    ['without owner', 505_000, 995_000, 'baseline'],
  ])
  // A slice cannot overlap another one of its thread, so each has its own.
  expect(new Set(slices.map(({ tid }) => tid)).size).toBe(3)
  const names = traceEvents.filter(({ name }) => name === 'thread_name').map(({ args }) => args?.name)
  expect(names).toEqual(['steps', 'a: of a', 'b: of b', 'baseline: without owner'])
})

test('steps are moments, and counts are counters', () => {
  const { traceEvents } = makeTrace(report([], []))
  expect(traceEvents).toContainEqual(
    expect.objectContaining({ name: 'a is killed', ph: 'i', ts: 510_000, pid: 1 }),
  )
  expect(traceEvents).toContainEqual(
    expect.objectContaining({
      name: 'counts',
      ph: 'C',
      ts: 520_000,
      args: expect.objectContaining({ sessions: 2 }),
    }),
  )
})

test('a signal of the cleanup is a moment of the process that got it; one to a process that was never seen is beside the steps', () => {
  const signal = { at: 250, signal: 'SIGKILL', pid: 7, comm: 'claude', by: 'daemon', cleaner: 9, agent: 'a' }
  const signals = [
    { ...signal, process: 'of a' },
    { ...signal, process: 'unseen' },
  ]
  const { traceEvents } = makeTrace(report([life('of a', { agent: 'a' })], [], signals))
  const thread = traceEvents.find(({ ph, name }) => ph === 'X' && name === 'of a')?.tid
  expect(traceEvents.filter(({ cat }) => cat === 'signal')).toEqual([
    {
      ...{ name: 'SIGKILL', cat: 'signal', ph: 'i', ts: 750_000, pid: 1, tid: thread, s: 't' },
      args: { id: 'of a', pid: 7, comm: 'claude', by: 'daemon', cleaner: 9, agent: 'a' },
    },
    expect.objectContaining({ tid: 1, args: expect.objectContaining({ id: 'unseen' }) }),
  ])
})
