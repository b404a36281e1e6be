import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import {
  answersTo,
  childrenOf,
  facts,
  inSession,
  isAlive,
  openFiles,
  processorTime,
} from '../support/proc.ts'
import { made, shaped } from '../support/shaped.ts'
import { until } from '../support/until.ts'

vi.setConfig({ maxConcurrency: 6 })

const byNumber = (one: number, other: number) => one - other

// At nice 19, a tenth of a second of processor time takes long on a machine without a free core.
const busyWaitMs = 100_000
const timeout = busyWaitMs + 60_000

test.concurrent.for([
  ['own-session', 'default', 'default'],
  ['own-session+hup-ignored', 'ignored', 'default'],
  ['own-session+term-ignored', 'default', 'ignored'],
  ['own-session+hup-ignored+term-ignored', 'ignored', 'ignored'],
  ['own-session+hup-ignored+term-ignored resist_ms=60000', 'caught', 'caught'],
  ['daemon+hup-ignored resist_ms=60000', 'caught', 'default'],
])('%s', async ([words = '', hup, term]) => {
  await using run = shaped(words)
  const child = await made(run, 'child')
  expect([answersTo(child, 'SIGHUP'), answersTo(child, 'SIGTERM')]).toEqual([hup, term])
})

test.concurrent('ignored signals are ignored all the way down its tree', async () => {
  await using run = shaped('daemon+hup-ignored+term-ignored depth=3')
  const child = await made(run, 'child')
  const tree = run.made('tree')
  expect(tree).toHaveLength(3)
  const all = inSession(facts(child)?.sid ?? 0).map(({ pid }) => pid)
  expect(all.sort(byNumber)).toEqual([child, ...tree].sort(byNumber))
  for (const pid of tree)
    expect([answersTo(pid, 'SIGHUP'), answersTo(pid, 'SIGTERM')]).toEqual(['ignored', 'ignored'])
  for (const pid of tree) process.kill(pid, 'SIGTERM')
  expect(tree.every(isAlive)).toBe(true)
})

test.concurrent('stopped: TERM waits until CONT', async () => {
  await using run = shaped('own-session+stopped')
  const child = await made(run, 'child')
  expect(facts(child)?.state).toBe('T')
  process.kill(child, 'SIGTERM')
  expect(facts(child)?.state).toBe('T')
  process.kill(child, 'SIGCONT')
  await until('TERM has arrived', () => !isAlive(child))
})

test.concurrent('busy: it takes processor time, at the lowest priority', { timeout }, async () => {
  await using run = shaped('own-session+busy')
  const child = await made(run, 'child')
  expect(facts(child)).toMatchObject({ nice: 19 })
  expect(answersTo(child, 'SIGPIPE')).toBe('ignored')
  const before = processorTime(child)
  const more = () => processorTime(child) - before >= 100
  await until('it has taken a tenth of a second more', more, busyWaitMs)
})

test.concurrent('stopped and busy: it spins after SIGCONT', { timeout }, async () => {
  await using run = shaped('own-session+busy+stopped')
  const child = await made(run, 'child')
  expect(facts(child)?.state).toBe('T')
  process.kill(child, 'SIGCONT')
  await until('it runs', () => processorTime(child) > 100, busyWaitMs)
})

test.concurrent('zombies: dead, and still in the process table', async () => {
  await using run = shaped('own-session+zombies children=2')
  await made(run, 'child')
  const zombies = run.made('zombie')
  expect(zombies).toHaveLength(6)
  expect(zombies.map(pid => facts(pid)?.state)).toEqual(Array(6).fill('Z'))
  const below = run.made('child').flatMap(childrenOf)
  expect(below.map(({ pid }) => pid).sort()).toEqual(zombies.sort())
  // It can still be signalled: the trap.
  for (const pid of zombies) expect(process.kill(pid, 0)).toBe(true)
})

test.concurrent('descriptors: many files open, some of them deleted', async () => {
  await using run = shaped('own-session+descriptors')
  const child = await made(run, 'child')
  const held = openFiles(child).filter(path => path.startsWith(run.temporary) && path.includes('/open-'))
  expect(held).toHaveLength(32)
  expect(held.filter(path => path.endsWith(' (deleted)'))).toHaveLength(10)
})

test.concurrent('renamed: bytes that break readers of /proc', async () => {
  await using run = shaped('own-session+renamed children=2')
  await made(run, 'child')
  const bytes = (pid: number, file: string) => readFileSync(`/proc/${pid}/${file}`, 'latin1')
  const isBare = (pid: number) => bytes(pid, 'cmdline').length === 1
  // Either of the two may be ready first.
  const [one = 0, other = 0] = run.made('child').sort((a, b) => Number(isBare(a)) - Number(isBare(b)))
  expect(bytes(one, 'comm')).toBe(') R 1 1\n(\xff\n')
  expect(bytes(one, 'cmdline')).toMatch(/^x\) S 1 1\n\xff\0.*child\.pl\x001\0again\0\0\n\0$/s)
  expect(bytes(other, 'comm')).toBe('\n\n')
  expect(bytes(other, 'cmdline')).toBe('\0')
  // Its initial environment is unchanged.
  expect(bytes(one, 'environ')).toContain(`HOME=${run.home}`)
})
