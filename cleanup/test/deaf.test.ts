import { type ChildProcess, spawn } from 'node:child_process'
import { afterEach, expect, test } from 'vitest'
import { whenDeaf } from '../tmux/deaf.ts'

const patience = { quietMs: 300, busyMs: 3_000 }

let holder: ChildProcess | undefined
afterEach(() => holder?.kill('SIGKILL'))

/** Starts a process in place of a server, and tells after how many seconds it is no longer waited for. */
function givenUpAfter(script: string): Promise<number> {
  holder = spawn(process.execPath, ['-e', script], { stdio: 'ignore' })
  return new Promise(resolve => whenDeaf(holder?.pid, resolve, patience))
}

test('a server that is at work is waited for to the end of all patience, one that is stopped is not', async () => {
  expect(await givenUpAfter('setInterval(() => {}, 20)')).toBe(3)
  const stopped = givenUpAfter('setInterval(() => {}, 20)')
  holder?.kill('SIGSTOP')
  expect(await stopped).toBeLessThan(3)
})

test('nothing tells that a server is busy of which no pid is known, or which has ended', async () => {
  const unknown = await new Promise<number>(resolve => whenDeaf(undefined, resolve, patience))
  expect(unknown).toBe(0)
  const ended = givenUpAfter('setInterval(() => {}, 20)')
  holder?.kill('SIGKILL')
  expect(await ended).toBe(0)
})

test('an answer in time ends the wait', async () => {
  let gaveUp = false
  const wait = whenDeaf(undefined, () => (gaveUp = true), { quietMs: 20, busyMs: 60 })
  wait[Symbol.dispose]()
  await new Promise(resolve => whenDeaf(undefined, resolve, { quietMs: 100, busyMs: 100 }))
  expect(gaveUp).toBe(false)
})
