import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { logWriters } from '../../claims/log-writers.ts'
import { listByPs } from '../../platform/processes/ps.ts'
import { signal } from '../../platform/processes/signals.ts'
import { hasEnded, parseStat } from '../../platform/processes/stat.ts'
import {
  isAlive,
  readMachine,
  readMachineAgain,
  readProcess,
  readTable,
  startOf,
} from '../../platform/processes/table.ts'
import { until } from '../support/until.ts'

const AFTER_START = `999 8 ${'1 '.repeat(25)}140737488347136 0 0`
const REST = `S 1 2 3 34816 2 4194560 1 2 3 4 5 6 7 8 20 0 9 0 12345 ${AFTER_START}`

test.each(['claude', 'a b', 'a) S 9 9 (b', 'two\nlines', ')', '', '(('])(
  'a stat line with the name %j',
  comm => {
    const found = parseStat(`77 (${comm}) ${REST}`)
    expect(found).toEqual({
      pid: 77,
      comm,
      state: 'S',
      ppid: 1,
      pgid: 2,
      sid: 3,
      tty: 34816,
      start: 12345,
      threads: 9,
      environmentAt: 140737488347136,
      kernel: false,
      exiting: false,
    })
  },
)

test('a process on its way out is told', () => {
  expect(parseStat(`7 (a) ${REST.replace('4194560', '4194564')}`)?.exiting).toBe(true)
})

test.each(['', '77', '77 (a', '77 (a) S', 'no such thing'])('not a stat line: %j', text => {
  expect(parseStat(text)).toBeUndefined()
})

test('a zombie has ended, a main thread that left its others running has not', () => {
  const stat = (state: string, threads: number) => ({ ...parse(), state, threads })
  expect(hasEnded(stat('Z', 1))).toBe(true)
  expect(hasEnded(stat('Z', 3))).toBe(false)
  expect(hasEnded(stat('X', 1))).toBe(true)
  expect(hasEnded(stat('T', 1))).toBe(false)
})

test('the table shows this process, and calls of one turn share a pass', async () => {
  const [one, two] = await Promise.all([readTable(), readTable()])
  expect(one).toBe(two)
  expect(one.get(process.pid)).toMatchObject({ pid: process.pid, ppid: process.ppid, state: 'R' })
  expect(await readTable()).not.toBe(one)
})

test('a process that executes another program is seen with its new environment, and is still the same process', async () => {
  const script = 'read go; LEAKRIG_AGENT=w/T/a exec sleep 1000'
  const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] })
  const pid = child.pid ?? 0
  const seen = async () => (await readTable()).get(pid)
  await until('it waits', async () => (await seen())?.comm === 'sh')
  const before = await seen()
  expect(before?.environment.marker).toBeUndefined()
  child.stdin.end('go\n')
  // The kernel changes the name before the environment.
  await until('it sleeps', () => fs.readFileSync(`/proc/${pid}/environ`, 'utf8').includes('w/T/a'))
  expect(await seen()).toMatchObject({ start: before?.start, environment: { marker: 'w/T/a' } })
  expect(await seen()).toMatchObject({ environment: { marker: 'w/T/a' } })
  child.kill('SIGKILL')
})

test('a second look soon after the first sees what new processes have open, and forgets nothing', async () => {
  const file = path.join(os.tmpdir(), `lr-open-${process.pid}`)
  using _ = { [Symbol.dispose]: () => fs.rmSync(file) }
  const first = spawn('sh', ['-c', `exec sleep 1000 >> ${file}`])
  await until('it sleeps', () => readProcess(first.pid ?? 0)?.comm === 'sleep')
  const before = await readMachine()
  const second = spawn('sh', ['-c', `exec sleep 1000 >> ${file}`])
  await until('it sleeps too', () => readProcess(second.pid ?? 0)?.comm === 'sleep')
  const again = await readMachineAgain({ ...before, openedAt: performance.now() })
  expect(again.openFiles.get(file)?.map(({ pid }) => pid)).toEqual([first.pid, second.pid])
  expect(before.openFiles.get(file)).toHaveLength(1)
  first.kill('SIGKILL')
  await until('it is gone', () => readProcess(first.pid ?? 0) === undefined)
  expect(logWriters(again.openFiles, file).map(({ pid }) => pid)).toEqual([second.pid])
  const late = await readMachineAgain({ ...again, openedAt: 0 })
  expect(late.openFiles.get(file)).toHaveLength(1)
  second.kill('SIGKILL')
})

test.each(['a) S 1 2 (b', 'two\nlines', '', ')', ' ', '\u00e4\x01\xff', `x\n1 (init) S 0`])(
  'a real process that calls itself %j',
  async name => {
    // Perl's $0 rewrites the command line in place and tells the kernel a new name of at most 15 bytes.
    const script = '$0 = $ARGV[0]; $| = 1; print "named"; sleep 1000'
    const child = spawn('perl', ['-e', script, '--', name], { stdio: ['ignore', 'pipe', 'ignore'] })
    await once(child.stdout, 'data')
    const pid = child.pid ?? 0
    const found = (await readTable()).get(pid)
    expect(found).toMatchObject({
      pid,
      ppid: process.pid,
      state: expect.stringMatching(/[RS]/),
      kernel: false,
    })
    expect(Buffer.from(found?.comm ?? '?', 'latin1')).toEqual(Buffer.from(name).subarray(0, 15))
    expect(found?.start).toBe(startOf(pid))
    expect(listByPs().get(pid)).toMatchObject({ pid, ppid: process.pid, kernel: false })
    const exit = once(child, 'exit')
    expect(signal({ pid, start: startOf(pid) ?? 0 }, 'SIGTERM')).toBe('sent')
    expect((await exit)[1]).toBe('SIGTERM')
  },
)

test('a signal goes to the process that was meant, or to none', async () => {
  const child = spawn('sleep', ['1000'])
  const pid = child.pid ?? 0
  const start = await until('it runs', () => startOf(pid))
  expect(signal({ pid, start: start + 1 }, 'SIGKILL')).toBe('ended')
  expect(isAlive({ pid, start })).toBe(true)
  process.kill(pid, 'SIGSTOP')
  await until('it is stopped', () => readProcess(pid)?.state === 'T')
  const exit = once(child, 'exit')
  expect(signal({ pid, start }, 'SIGTERM')).toBe('sent')
  expect((await exit)[1]).toBe('SIGTERM')
  expect(signal({ pid, start }, 'SIGTERM')).toBe('ended')
})

test.each([0, 1, -1, 1.5, Number.NaN])('a signal to %d is nobody’s', pid => {
  expect(signal({ pid, start: readProcess(pid)?.start ?? 0 }, 'SIGTERM')).not.toBe('sent')
})

function parse() {
  const found = parseStat(`77 (a) ${REST}`)
  if (!found) throw new Error('the line is right')
  return found
}
