import { expect, test } from 'vitest'
import { type Counted, countReads, factsOf, syntheticSnapshot } from '../../bench/snapshots.ts'
import { OTHERS_FIELD, othersValues } from '../../snapshot/others-values.ts'
import type { ProcessResource, Resource, Snapshot } from '../../snapshot/snapshot.ts'
import { compare } from '../../verdict/compare.ts'

const empty: Snapshot = { at: 0, resources: [], ignored: [], problems: [] }

test('comparing forty times as many agents takes at most fifty times as many reads', () => {
  const reads = (agents: number): number => {
    const counted: Counted = { reads: 0 }
    const now = countReads(syntheticSnapshot(agents), counted)
    expect(compare(empty, now, factsOf(agents)).leaks.length).toBeGreaterThan(agents * 10)
    return counted.reads
  }
  expect(reads(400)).toBeLessThan(50 * reads(10))
})

test('a process is below its pane through its parents, and a circle of pids is below none', () => {
  const process = (pid: number, ppid: number): ProcessResource => ({
    kind: 'process',
    id: `process ${pid}@1`,
    pid,
    ppid,
    start: 1,
    pgid: pid,
    sid: pid,
    tty: 0,
    state: 'S',
    comm: `p${pid}`,
    command: 'x',
    rss: 0,
    descriptors: 0,
  })
  const pane: Resource = {
    kind: 'pane',
    id: 'pane 5:%1',
    socket: '/s',
    serverPid: 5,
    session: '$1',
    sessionName: 'a',
    pane: '%1',
    pid: 10,
    tty: '',
    dead: false,
  }
  const resources = [
    process(10, 5),
    pane,
    process(11, 10),
    process(12, 11),
    process(20, 1),
    process(30, 31),
    process(31, 30),
  ]
  const { leaks } = compare(empty, { ...empty, resources }, factsOf(0))
  expect(leaks.filter(({ why }) => why.startsWith('below a pane')).map(({ id }) => id)).toEqual([
    'process 10@1',
    'process 11@1',
    'process 12@1',
  ])
  expect(leaks.find(({ id }) => id === 'process 30@1')?.why).toBe('below p31 (31), which lives on')
})

test('a value of somebody else in a registry counts by what it says and its order, not by its spelling', () => {
  const before = String.raw`{"a": {"b": 1764398123456789123, "c": [1.0, -0.0, 10e-2, 1e80]}, "d": "caf\u00e9"}`
  const registry = (value: string): Snapshot => {
    const others = othersValues(`\uFEFF{"active_count": NaN, "${OTHERS_FIELD}": ${value}}`, '/agents') ?? {}
    const one = { kind: 'registry' as const, id: 'registry /r', path: '/r', name: 'task' }
    return { ...empty, resources: [{ ...one, agents: [], others }] }
  }
  const found = (now: Snapshot) =>
    compare(registry(before), now, factsOf(0)).collateral.map(({ kind, why }) => `${kind}: ${why}`)
  expect(found(registry(before.replaceAll(' ', '\n  ')))).toEqual([])
  const respelled = '{"a": {"b": 1764398123456789123.0, "c": [1, 0, 0.1, 10E+79]}, "d": "café"}'
  expect(found(registry(respelled))).toEqual([])
  const changed = [
    JSON.stringify(JSON.parse(before)),
    before.replace('10e-2', '-0.1'),
    before.replace('1e80', '1e81'),
    String.raw`{"d": "caf\u00e9", "a": {}}`,
  ]
  for (const value of changed)
    expect(found(registry(value))).toEqual([expect.stringMatching(/^registry: whoever rewrote .* changed /)])
  expect(found(empty)).toEqual(['registry: it is gone'])
})
