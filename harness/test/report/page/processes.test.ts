import { expect, test } from 'vitest'
import { nameOf } from '../../../report/page/process-names.ts'
import { momentAt, type ProcessNode, treeAt } from '../../../report/page/scenario/moments.ts'
import { groupLanes } from '../../../report/page/time/lane-groups.ts'
import { process, red, timeline } from '../../support/sample-report.ts'

const { timeline: sample = timeline([], [], []) } = red('a kill')

/** "tmux: server(bash(claude))". */
const text = (nodes: readonly ProcessNode[]): string =>
  nodes
    .map(({ life, children }) => `${nameOf(life).name}${children.length > 0 ? `(${text(children)})` : ''}`)
    .join(' ')

test('the tree has the processes of a moment below their parents of that moment', () => {
  expect(text(treeAt(sample.lives, momentAt('before', sample)))).toBe('tmux: server')
  expect(text(treeAt(sample.lives, momentAt('peak', sample)))).toBe(
    'tmux: server(bash(claude(sleep)) claude)',
  )
  expect(text(treeAt(sample.lives, momentAt('after', sample)))).toBe('tmux: server claude(sleep)')
})

test('a process with another parent, and one that is stopped, are shown so from then on', () => {
  const [parent, child] = [process(2, 'bash'), process(3, 'sleep', 2)]
  const { lives } = timeline([], [parent, child], [{ ...child, ppid: 1, state: 'T' }])
  expect(text(treeAt(lives, 400))).toBe('bash(sleep)')
  expect(treeAt(lives, 1_000)).toMatchObject([{ state: 'T', children: [] }])
})

test('processes whose pids close a circle are all shown, at the top', () => {
  const { lives } = timeline([], [process(2, 'one', 3), process(3, 'other', 2)], [])
  expect(text(treeAt(lives, 400))).toBe('one other')
  expect(groupLanes(lives).flatMap(({ lanes }) => lanes)).toHaveLength(2)
})

test('lanes are grouped by agent, each process below its parent; then those of no agent, and the baseline', () => {
  const { lives } = timeline(
    [process(10, 'tmux: server')],
    [
      ...[process(10, 'tmux: server'), process(40, 'unknown')],
      ...[process(22, 'sleep', 21, 'a'), process(30, 'claude', 10, 'b'), process(21, 'claude', 10, 'a')],
    ],
    [],
  )
  const groups = groupLanes(lives).map(({ agent, isBaseline, lanes }) => [
    agent ?? (isBaseline ? 'baseline' : 'nobody'),
    lanes.map(({ life, depth }) => `${nameOf(life).name} ${depth}`),
  ])
  expect(groups).toEqual([
    ['a', ['claude 0', 'sleep 1']],
    ['b', ['claude 0']],
    ['nobody', ['unknown 0']],
    ['baseline', ['tmux: server 0']],
  ])
})

test('a name with parentheses of its own is the whole name', () => {
  const [life] = timeline([], [process(7, 'evil (1), 2 MB: x')], []).lives
  expect(life && nameOf(life)).toMatchObject({ name: 'evil (1), 2 MB: x', pid: 7, memory: '2.0 MB' })
})
