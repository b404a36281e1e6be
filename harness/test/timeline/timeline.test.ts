import { expect, test } from 'vitest'
import type { ProcessResource, Resource, Snapshot } from '../../snapshot/snapshot.ts'
import { count, highest } from '../../timeline/counts.ts'
import { TimelineRecorder } from '../../timeline/recorder.ts'

const process = (pid: number, more: Partial<ProcessResource> = {}): ProcessResource => ({
  kind: 'process',
  id: `process ${pid}@1`,
  pid,
  ppid: 1,
  start: 1,
  pgid: pid,
  sid: pid,
  tty: 0,
  state: 'S',
  comm: 'claude',
  command: 'claude -p',
  rss: 10_000_000,
  descriptors: 4,
  ...more,
})
const file = (path: string): Resource => ({
  kind: 'file',
  id: `file ${path}`,
  path,
  class: 'prompt',
  bytes: 1,
})

/** A recorder, and a way to give it a snapshot so many ms after it began. */
function recording() {
  const zero = performance.now()
  const recorder = new TimelineRecorder()
  const add = (at: number, ...resources: Resource[]) =>
    recorder.add({ at: zero + at, resources, ignored: [], problems: [] } satisfies Snapshot)
  return { recorder, add }
}

test('counts are those of the report: sessions, claudes, processes, descriptors, files by class, memory', () => {
  const session = { kind: 'session', id: 'session 5:$1', socket: '/s', serverPid: 5, session: '$1' } as const
  const counts = count([
    { ...session, name: 'a', created: 0 },
    process(10),
    process(11, { state: 'Z', descriptors: 0, rss: 0 }),
    process(12, { comm: 'tee' }),
    file('/a'),
    file('/b'),
  ])
  expect(counts).toMatchObject({ sessions: 1, claudes: 1, zombies: 1, processes: 3, descriptors: 8 })
  expect(counts).toMatchObject({ memory: 20_000_000, files: { prompt: 2 }, openFiles: 0 })
})

test('the peak has the highest of each count, from whichever snapshot', () => {
  const [one, other] = [count([process(1), process(2)]), count([process(1), file('/a')])]
  expect(highest(one, other)).toMatchObject({ processes: 2, files: { prompt: 1 } })
  const { recorder, add } = recording()
  add(0, process(1), process(2))
  add(10, process(1), file('/a'))
  add(20)
  expect(recorder.peak).toMatchObject({ processes: 2, claudes: 2, files: { prompt: 1 } })
})

test('a life goes from the first snapshot that shows a resource to the first that does not', () => {
  const { recorder, add } = recording()
  add(0, process(1))
  recorder.markBaseline([process(1)])
  add(100, process(1), process(2), process(3))
  add(200, process(1), process(3, { owner: { agent: 'a', evidence: 'its name' } }))
  const { lives, endedAt } = recorder.timeline
  expect(endedAt).toBe(200)
  expect(lives).toEqual([
    expect.objectContaining({ id: 'process 1@1', from: 0, isBaseline: true }),
    expect.objectContaining({ id: 'process 2@1', from: 100, to: 200 }),
    expect.objectContaining({ id: 'process 3@1', from: 100, agent: 'a', evidence: 'its name' }),
  ])
  expect(lives[0]).not.toHaveProperty('to')
  expect(lives[1]).not.toHaveProperty('isBaseline')
})

test('a process that gets another parent, is stopped or becomes a zombie keeps its life', () => {
  const { recorder, add } = recording()
  add(0, process(2, { ppid: 9 }))
  add(10, process(2, { ppid: 9, state: 'R' }))
  add(20, process(2, { state: 'T' }))
  add(30, process(2, { state: 'S' }))
  add(40, process(2, { state: 'Z' }))
  expect(recorder.timeline.lives.map(life => life.process)).toEqual([
    {
      pid: 2,
      ppid: 9,
      parents: [{ at: 20, ppid: 1 }],
      states: [
        { at: 20, state: 'T' },
        { at: 30, state: 'runs' },
        { at: 40, state: 'Z' },
      ],
    },
  ])
})

test('a sample is kept only when a count has changed, or the memory by a megabyte', () => {
  const { recorder, add } = recording()
  add(0, process(1))
  add(10, process(1, { rss: 10_500_000 }))
  add(20, process(1, { rss: 12_000_000 }))
  add(30, process(1, { rss: 12_000_000 }), file('/a'))
  expect(recorder.timeline.samples.map(({ at }) => at)).toEqual([0, 20, 30])
})

test('a step has its agent and its duration, also when it fails', async () => {
  const { recorder } = recording()
  recorder.mark('is killed', 'a')
  await expect(recorder.during('deploy', () => Promise.reject(new Error('no')), 'b')).rejects.toThrow('no')
  expect(recorder.timeline.steps).toEqual([
    { what: 'is killed', agent: 'a', at: expect.any(Number) },
    { what: 'deploy', agent: 'b', at: expect.any(Number), ms: expect.any(Number) },
  ])
})
