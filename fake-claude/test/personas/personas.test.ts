import { closeSync, openSync, statSync, writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { dirSync } from 'tmp-promise'
import { expect, test } from 'vitest'
import { Run } from '../support/claude.ts'
import { childrenOf, cmdline, inSession, isAlive } from '../support/proc.ts'
import { until } from '../support/until.ts'

const reported = (run: Run) =>
  run.journal
    .filter(entry => entry.what === 'call')
    .map(entry => (entry.arguments as { status?: string }).status ?? 'finding')

test.concurrent('completes: works, reports, prints its result, and stays', async () => {
  await using run = new Run({ directive: 'persona=completes events=2', mcp: { rig: '' } })
  await run.noted('idle')
  expect(reported(run)).toEqual(['working', 'finding', 'completed'])
  await until('the test has read the result', () => run.order.at(-1) === 'result/success')
  expect(run.order).toEqual([
    'system/init',
    ...['assistant', 'user'],
    ...['assistant', 'assistant'],
    ...['assistant', 'user'],
    ...['assistant', 'system/task_started', 'user'],
    ...['assistant', 'user'],
    ...['assistant', 'result/success'],
  ])
  expect(isAlive(run.pid)).toBe(true)
})

test.concurrent('completes: a background task that ends wakes it, for a second result', async () => {
  // The test ends it once claude waits. By itself it might end before the result on a busy machine.
  await using run = new Run({ directive: 'persona=completes events=0 task_seconds=77', mcp: { rig: '' } })
  await run.noted('idle')
  const [leader = 0] = run.children('bash')
  const task = await until('the task runs', () => childrenOf(leader).find(({ comm }) => comm === 'sleep'))
  expect(cmdline(task.pid)).toEqual(['sleep', '77'])
  process.kill(-leader, 'SIGKILL')
  expect(await run.ended).toBe(0)
  expect(run.order.slice(-7)).toEqual([
    'result/success',
    'system/task_updated',
    'system/task_notification',
    'system/background_tasks_changed',
    'system/init',
    'assistant',
    'result/success',
  ])
  expect(run.lines.at(-1)).toMatchObject({ result_index: 1, is_error: false })
  const noted = run.journal.filter(entry => entry.what === 'event').map(entry => entry.uuid)
  expect(noted).toEqual(run.lines.map(line => line.uuid))
  await until('its MCP server has ended', () => !run.children('mcp').some(isAlive))
})

test.concurrent('exits: the same, and exits with 0', async () => {
  await using run = new Run({ directive: 'persona=exits', mcp: { rig: '' } })
  expect(await run.ended).toBe(0)
  expect(reported(run)).toEqual(['working', 'finding', 'completed'])
  expect(run.order.at(-1)).toBe('result/success')
  const children = [...run.children('mcp'), ...run.children('bash')]
  await until('its children have ended', () => !children.some(isAlive))
})

test.concurrent('works: until somebody ends it', async () => {
  await using run = new Run({ directive: 'persona=works bash=2', mcp: { rig: '' } })
  await run.noted('idle')
  expect(reported(run)).toEqual(['working'])
  const told = () => run.order.filter(type => type === 'system/task_started').length === 2
  await until('the test has read that both commands began', told)
  expect(run.order.slice(-4)).toEqual([
    'assistant',
    'assistant',
    'system/task_started',
    'system/task_started',
  ])
  expect(run.children('bash').filter(isAlive)).toHaveLength(2)
})

test.concurrent('works: when its command is ended it prints that, and goes on', async () => {
  await using run = new Run({ directive: 'persona=works' })
  await run.noted('idle')
  const [leader = 0] = run.children('bash')
  process.kill(-leader, 'SIGKILL')
  await until('it says so', () => run.stdout.includes('Exit code 137'))
  expect(isAlive(run.pid)).toBe(true)
  expect(await run.signal('SIGTERM')).toBe(143)
  expect(run.stdout.match(/Exit code 137/g)).toHaveLength(2)
})

test.concurrent('crashes: in the middle of a line, its tools go on', async () => {
  await using run = new Run({ directive: 'persona=crashes', mcp: { rig: '' } })
  expect(await run.ended).toBe('SIGKILL')
  const halfLine = run.stdout.split('\n').at(-1) ?? ''
  expect(run.journal.slice(-2)).toMatchObject([
    { what: 'half line', bytes: halfLine.length },
    { what: 'ended', signal: 'SIGKILL' },
  ])
  expect(halfLine.length).toBeGreaterThan(0)
  expect(() => JSON.parse(halfLine)).toThrow()
  await until('its tool goes on', () => inSession(run.children('bash')[0] ?? 0).length === 2)
  await until('the polite MCP server has left', () => !run.children('mcp').some(isAlive))
})

test.concurrent('crashes with signal=ABRT', async () => {
  await using run = new Run({ directive: 'persona=crashes signal=ABRT bash=0' })
  expect(await run.ended).toBe('SIGABRT')
})

test.concurrent('the gate holds it back', async () => {
  const ready = (run: Run) => until('it works', () => run.order.length >= 6)
  await using run = new Run({ directive: 'persona=exits bash=0' })
  await run.ended
  const gate = join(run.folder, 'go')
  await using held = new Run({ directive: `persona=exits bash=0 gate=${gate}` })
  await ready(held)
  expect(held.order).not.toContain('result/success')
  writeFileSync(gate, '')
  expect(await held.ended).toBe(0)
  expect(held.journal).toContainEqual(expect.objectContaining({ what: 'gate', path: gate }))
})

test.concurrent('idles: finishes without reporting it, and stays', async () => {
  await using run = new Run({ directive: 'persona=idles', mcp: { rig: '' } })
  await run.noted('idle')
  expect(reported(run)).toEqual(['working', 'finding'])
  await until('the test has read the result', () => run.order.at(-1) === 'result/success')
  expect(isAlive(run.pid)).toBe(true)
  expect(await run.signal('SIGTERM')).toBe(143)
})

test.concurrent.for(['legacy', 'mid', 'current'])('idles: for ever, also as %s', async profile => {
  await using run = new Run({ directive: `persona=idles profile=${profile}` })
  await run.noted('idle')
  expect(isAlive(run.pid)).toBe(true)
})

const numbers = (run: Run) =>
  run.lines
    .map(line => /^Event (\d+) of 10000\.$/.exec(line.message?.content[0].text ?? '')?.[1])
    .filter(Boolean)

test.concurrent('talks: numbered events, once its gate is open', async () => {
  const folder = dirSync({ prefix: 'fake-claude' }).name
  const gate = join(folder, 'go')
  await using run = new Run({ directive: `persona=talks events=10000 gate=${gate}`, folder })
  await run.noted('waiting')
  expect(numbers(run)).toEqual([])
  writeFileSync(gate, '')
  await run.noted('idle')
  await until('the test has read all of it', () => numbers(run).length >= 10_000)
  expect(numbers(run)).toEqual(Array.from({ length: 10_000 }, (_, at) => String(at + 1)))
  const noted = run.journal.filter(({ what }) => what === 'event').map(({ uuid }) => uuid)
  expect(noted).toEqual(run.lines.map(({ uuid }) => uuid))
})

test.concurrent.for(['SIGTERM', 'SIGKILL'] as const)('talks: ended by %s in the middle', async signal => {
  await using run = new Run({ directive: 'persona=talks events=100000' })
  await until('it talks', () => run.journal.length > 500)
  expect(await run.signal(signal)).toBe(signal === 'SIGTERM' ? 143 : 'SIGKILL')
  const told = run.lines.map(({ uuid }) => uuid)
  const noted = run.journal.filter(({ what }) => what === 'event').map(({ uuid }) => uuid)
  expect(told.length).toBeLessThan(100_000)
  // The events that the journal records as taken are in the log, in the same order.
  expect(told.slice(0, noted.length)).toEqual(noted)
  expect(noted.length).toBeGreaterThan(400)
  expect(run.stdout.endsWith('\n')).toBe(true)
})

test.concurrent('talks: into a file, too, it notices a signal', async () => {
  const folder = dirSync({ prefix: 'fake-claude' }).name
  const log = openSync(join(folder, 'log'), 'w')
  await using run = new Run({ directive: 'persona=talks events=100000', folder, stdout: log })
  closeSync(log)
  // It must not end while this test is not scheduled, so it runs last.
  setPriority(run.pid, constants.priority.PRIORITY_LOW)
  await until('it talks', () => size(join(folder, 'journal')) > 50_000)
  expect(await run.signal('SIGTERM')).toBe(143)
  expect(run.journal.length).toBeLessThan(100_000)
})

// A cheap check, because `talks` writes a hundred thousand entries in seconds.
function size(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
