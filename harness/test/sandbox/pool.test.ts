import { expect, test } from 'vitest'
import { SandboxPool } from '../../sandbox/pool.ts'
import type { Sandbox } from '../../sandbox/sandbox.ts'

test('a sandbox has one user at a time, is reused before another one starts, and ends with the pool', async () => {
  const started: Sandbox[] = []
  const ended: Sandbox[] = []
  const pool = new SandboxPool(async () => {
    const sandbox = {
      probe: { hello: async () => {} },
      [Symbol.asyncDispose]: async () => void ended.push(sandbox),
    } as unknown as Sandbox
    started.push(sandbox)
    return sandbox
  })
  const [one, other] = await Promise.all([pool.take(), pool.take()])
  expect(one).not.toBe(other)
  pool.giveBack(one)
  expect(await pool.take()).toBe(one)
  expect(started).toEqual([one, other])
  expect(ended).toEqual([])
  pool.giveBack(one)
  await pool[Symbol.asyncDispose]()
  expect(ended).toEqual([one, other])
})

test('a sandbox whose engine has died is not used again', async () => {
  let isDead = false
  const hello = async () => {
    if (isDead) throw new Error('The sandbox ended.')
  }
  const start = async () =>
    ({ probe: { hello }, [Symbol.asyncDispose]: async () => {} }) as unknown as Sandbox
  const pool = new SandboxPool(start)
  const first = await pool.take()
  pool.giveBack(first)
  isDead = true
  expect(await pool.take()).not.toBe(first)
  await pool[Symbol.asyncDispose]()
})

test('a failed start rejects the call that needed it, and the next call tries again', async () => {
  let starts = 0
  const sandbox = { [Symbol.asyncDispose]: async () => {} } as unknown as Sandbox
  const pool = new SandboxPool(() =>
    ++starts === 1 ? Promise.reject(new Error('no')) : Promise.resolve(sandbox),
  )
  await expect(pool.take()).rejects.toThrow('no')
  expect(await pool.take()).toBe(sandbox)
  await pool[Symbol.asyncDispose]()
})
