import { type ChildProcess, spawn } from 'node:child_process'
import { afterEach, expect, test } from 'vitest'
import { onServerTimeout } from '../../tmux/server-timeout.ts'

const patience = { quietMs: 1_000, busyMs: 5_000 }

const holders: ChildProcess[] = []
afterEach(() => {
  for (const holder of holders.splice(0)) holder.kill('SIGKILL')
})

/** A process in place of a server that wakes fifty times a second. */
function busy(): ChildProcess {
  const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 20)'], { stdio: 'ignore' })
  holders.push(holder)
  return holder
}

/** Tells after how many ms a server is no longer waited for. */
const givenUpAfter = (pid: number | undefined): Promise<number> =>
  new Promise(resolve => onServerTimeout(pid, resolve, patience))

test('a server that is at work is waited for to the end of all patience, one that is stopped is not', async () => {
  expect(await givenUpAfter(busy().pid)).toBe(patience.busyMs)
  const stopped = busy()
  stopped.kill('SIGSTOP')
  expect(await givenUpAfter(stopped.pid)).toBeLessThan(patience.busyMs)
})

test('nothing tells that a server is busy of which no pid is known, or which has ended', async () => {
  expect(await givenUpAfter(undefined)).toBe(patience.quietMs)
  const ended = busy()
  const answer = givenUpAfter(ended.pid)
  ended.kill('SIGKILL')
  expect(await answer).toBeLessThan(patience.busyMs)
})

test('an answer in time ends the wait', async () => {
  let gaveUp = false
  const giveUp = () => {
    gaveUp = true
  }
  onServerTimeout(undefined, giveUp, { quietMs: 20, busyMs: 60 })[Symbol.dispose]()
  await new Promise(resolve => onServerTimeout(undefined, resolve, { quietMs: 100, busyMs: 100 }))
  expect(gaveUp).toBe(false)
})
