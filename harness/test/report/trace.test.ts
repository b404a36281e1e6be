import { expect, test } from 'vitest'
import type { Report } from '../../report/report.ts'
import { makeTrace } from '../../report/trace.ts'
import { count } from '../../timeline/counts.ts'
import type { Life, Signal, Timeline } from '../../timeline/timeline.ts'
import { aReport } from '../support/reports.ts'
import { green, red } from '../support/sample-report.ts'
import { mistakesIn, traceSchema } from '../support/trace-format.ts'

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

test('a resource is a thread of its agent, from its first snapshot to its end, or to the end of the trace', () => {
  const lives = [
    life('without owner', { from: 5, isBaseline: true }),
    life('of b', { agent: 'b', from: 100, to: 300 }),
    life('prompt of a', { kind: 'file', agent: 'a', from: 150, to: 300 }),
    life('of a', { agent: 'a', evidence: 'its name', from: 200 }),
  ]
  const { traceEvents } = makeTrace(report(lives, ['of a']))
  const slices = traceEvents.filter(({ ph }) => ph === 'X')
  expect(slices.map(({ name, ts, dur, pid, tid, args }) => [name, ts, dur, pid, tid, args?.state])).toEqual([
    ['of a', 700_000, 800_000, 2, 1, 'leaked'],
    ['prompt of a', 650_000, 150_000, 2, 2, 'ended'],
    ['of b', 600_000, 200_000, 3, 1, 'ended'],
    ['without owner', 505_000, 995_000, 4, 1, 'baseline'],
  ])
  const names = (of: string) => traceEvents.filter(({ name }) => name === of).map(({ args }) => args?.name)
  expect(names('process_name')).toEqual([
    ...['a kill (leak)', 'a kill: a', 'a kill: b', 'a kill: there before the first deploy'],
  ])
  expect(names('thread_name')).toEqual(['steps', 'leaked: of a', 'prompt of a', 'of b', 'without owner'])
})

test('steps are moments, and each count is a counter', () => {
  const { traceEvents } = makeTrace(report([], []))
  expect(traceEvents).toContainEqual(
    expect.objectContaining({ name: 'a is killed', ph: 'i', ts: 510_000, pid: 1 }),
  )
  const counter = { ph: 'C', ts: 520_000, pid: 1 }
  expect(traceEvents).toContainEqual({ ...counter, name: 'sessions', args: { value: 2 } })
  expect(traceEvents).toContainEqual({ ...counter, name: 'memory (bytes)', args: { value: 5 } })
})

test('a signal of the cleanup is a moment of the process that got it; one to a process that was never seen is beside the steps', () => {
  const signal = { at: 250, signal: 'SIGKILL', pid: 7, comm: 'claude', by: 'daemon', cleaner: 9, agent: 'a' }
  const signals = [
    { ...signal, process: 'of a' },
    { ...signal, process: 'unseen' },
  ]
  const { traceEvents } = makeTrace(report([life('of a', { agent: 'a' })], [], signals))
  expect(traceEvents.filter(({ cat }) => cat === 'signal')).toEqual([
    {
      ...{ name: 'SIGKILL', cat: 'signal', ph: 'i', ts: 750_000, pid: 2, tid: 1, s: 't' },
      args: { id: 'of a', pid: 7, comm: 'claude', by: 'daemon', cleaner: 9, agent: 'a' },
    },
    expect.objectContaining({ pid: 1, tid: 1, args: expect.objectContaining({ id: 'unseen' }) }),
  ])
})

test('a trace keeps to the rules of the Trace Event Format', () => {
  const results = [red('a kill'), green('a completion'), red('another kill')]
  const signal = { at: 700, signal: 'SIGTERM', process: 'process 22@1', pid: 22, comm: 'sleep' }
  for (const { timeline } of results) if (timeline) timeline.signals = [signal]
  const written: unknown = JSON.parse(JSON.stringify(makeTrace(aReport(results))))
  expect(mistakesIn(traceSchema.parse(written).traceEvents)).toEqual([])
})

test('the check of the rules finds what breaks them', () => {
  const slice = { name: 'x', cat: 'c', ph: 'X', ts: 10, dur: 5, pid: 1, tid: 1 } as const
  expect(mistakesIn([slice, { ...slice, ts: 12 }])).toEqual([
    ...['process 1 has no name', 'thread 1 of 1 has no name', 'x and x of thread 1 of 1 cross'],
  ])
  const wrong = [{ ts: 0.5 }, { dur: -1 }, { pid: '1' }, { name: '' }, { ph: 'B' }, { more: 1 }]
  for (const one of wrong)
    expect(
      traceSchema.safeParse({ displayTimeUnit: 'ms', traceEvents: [{ ...slice, ...one }] }).success,
    ).toBe(false)
})
