import { expect, test } from 'vitest'
import { parsePanes } from '../../probe/tmux.ts'

const whole = ['7 $0 1 %0 12 /dev/pts/1 0 user', '7 $1 1 %1 13 /dev/pts/2 0  a b']

test('every pane of an answer is read, with the whole name of its session', () => {
  const { panes, problems } = parsePanes('/s', `${whole.join('\n')}\n`)
  expect(panes.map(({ pane, sessionName }) => [pane, sessionName])).toEqual([
    ['%0', 'user'],
    ['%1', ' a b'],
  ])
  expect(problems).toEqual([])
})

test.each(['', '7 $1 ', '7 $1 1 %1', '7 $1 1 %1 13 /dev/pts/2 0 '])(
  'a line that is cut to "%s" is a problem, not a missing pane',
  line => {
    for (const lines of [
      [whole[0], line],
      [line, whole[1]],
    ])
      expect(parsePanes('/s', `${lines.join('\n')}\n`).problems).toHaveLength(1)
  },
)
