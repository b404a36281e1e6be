import { expect, test } from 'vitest'
import { poll } from '../../poll.ts'
import { readProcesses } from '../../probe/processes.ts'
import { Terminals } from '../../probe/terminals.ts'

/** Those that run below a folder's name, which no other process has in its command line. */
const running = (mark: string) =>
  readProcesses().filter(({ command, state }) => command.includes(mark) && state !== 'Z')

test.for([
  ['without a terminal', {}],
  ['on a terminal', { terminal: { rows: 24, columns: 80, type: 'xterm' } }],
])('a command %s ends with whatever it has started when its reader is gone', async ([, where]) => {
  const mark = `1234${Math.floor(Math.random() * 1e6)}`
  const terminals = new Terminals()
  const command = ['bash', '-c', `sleep ${mark}.1 & sleep ${mark}.2; true`]
  const id = terminals.open({ command, cwd: '/', ...(where as object) })
  const sleeps = () => running(mark).filter(({ comm }) => comm === 'sleep')
  await poll(20_000, async () => sleeps().length === 2 || undefined)
  expect(sleeps()).toHaveLength(2)
  terminals.close(id)
  await poll(20_000, async () => running(mark).length === 0 || undefined)
  expect(running(mark)).toEqual([])
})
