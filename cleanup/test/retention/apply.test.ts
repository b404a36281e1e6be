import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testProgram } from '../../../bin/programs.ts'
import { planRetention } from '../../index.ts'
import { layout, updateAgent } from '../../orchestrator.ts'
import { lockNow, REGISTRY_BYTE, RETENTION_BYTE } from '../../registry/locks.ts'
import { applyPlan } from '../../retention/apply.ts'
import { holdRetention } from '../../retention/hold.ts'
import type { RetentionReport } from '../../retention/plan-types.ts'
import { parsePolicy } from '../../retention/policy.ts'

import { Archive, DAY_MS, fates } from '../support/archive.ts'

const KILLED = testProgram('retention-killed')

let archive: Archive
beforeEach(async () => {
  archive = await Archive.make()
})
afterEach(() => archive[Symbol.asyncDispose]())

const plan = (texts = {}) => planRetention([archive.workspace], parsePolicy(texts))
const outcomes = (report: RetentionReport): Record<string, string> =>
  Object.fromEntries(report.outcomes.map(({ file, outcome }) => [file.name, outcome]))

test('it removes exactly what the plan names', async () => {
  await archive.agent('a')
  await archive.task('T2')
  const old = [
    archive.put('a_stream.jsonl', 9),
    archive.put('a_progress.jsonl', 9, { part: 'progress' }),
    archive.put('deploy_b.json', 9, { taskId: 'T2' }),
  ]
  const young = archive.put('c_stream.jsonl', 1)
  const made = await plan()
  const named = made.files.filter(({ action }) => action === 'remove')
  const report = await applyPlan(made)
  expect(report.problems).toEqual([])
  expect(report.outcomes.map(({ file }) => file)).toEqual(named)
  expect(report.outcomes.every(({ outcome }) => outcome === 'removed')).toBe(true)
  expect(old.filter(file => fs.existsSync(file))).toEqual([])
  expect(fs.existsSync(young)).toBe(true)
  expect((await plan()).files.map(({ name }) => name)).toEqual(['c_stream.jsonl'])
})

describe('a file that changed since the plan is left, and reported', () => {
  const log = () => archive.at('a_stream.jsonl')

  test.each<[string, string, () => unknown]>([
    ['written', 'changed', () => fs.appendFileSync(log(), 'x')],
    ['touched', 'changed', () => fs.utimesSync(log(), 1.75e9, 1.75e9)],
    [
      'replaced by a copy',
      'changed',
      () => {
        const { atime, mtime } = fs.statSync(log())
        fs.copyFileSync(log(), `${log()}.new`)
        fs.utimesSync(`${log()}.new`, atime, mtime)
        fs.renameSync(`${log()}.new`, log())
      },
    ],
    [
      'replaced by a link',
      'changed',
      () => {
        fs.renameSync(log(), `${log()}.real`)
        fs.symlinkSync(`${log()}.real`, log())
      },
    ],
    ['deployed again', 'changed', () => setStatus('running')],
    ['held', 'changed', () => holdRetention(archive.workspace, { until: '2999-01-01', reason: 'x' })],
    ['gone', 'gone', () => fs.rmSync(log())],
  ])('%s', async (_, outcome, change) => {
    await archive.agent('a')
    archive.put('a_stream.jsonl', 9)
    const made = await plan()
    await change()
    const there = fs.existsSync(log())
    const report = await applyPlan(made)
    expect(outcomes(report)).toEqual({ 'a_stream.jsonl': outcome })
    expect(report.problems).toEqual([])
    expect(report.outcomes[0]?.why).toBeTruthy()
    expect(fs.existsSync(log())).toBe(there)
  })

  function setStatus(status: string): Promise<void> {
    return updateAgent({ workspace: archive.workspace, taskId: 'T1', agentId: 'a' }, entry => {
      entry.status = status
    })
  }

  test('opened for writing, before anything was written', async () => {
    archive.put('a_stream.jsonl', 9)
    const made = await plan()
    const fd = fs.openSync(log(), 'a')
    const child = spawn('sleep', ['1000'], { stdio: ['ignore', fd, 'ignore'] })
    fs.closeSync(fd)
    try {
      await once(child, 'spawn')
      expect(outcomes(await applyPlan(made))).toEqual({ 'a_stream.jsonl': 'changed' })
      expect(fs.existsSync(log())).toBe(true)
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    expect(outcomes(await applyPlan(await plan()))).toEqual({ 'a_stream.jsonl': 'removed' })
  })

  test('the archive became a link: nothing behind it is touched', async () => {
    const outside = path.join(archive.folder, 'outside')
    archive.put('a_stream.jsonl', 9)
    const made = await plan()
    const folder = path.dirname(log())
    fs.renameSync(folder, outside)
    fs.symlinkSync(outside, folder)
    const report = await applyPlan(made)
    expect(report.outcomes).toEqual([])
    expect(report.problems.join()).toMatch(/archive is refused/)
    expect(fs.readdirSync(outside)).toEqual(['a_stream.jsonl'])
  })

  test('a registry became unreadable: its task is left, and the others are not', async () => {
    await archive.task('T2')
    archive.put('a_stream.jsonl', 9)
    archive.put('b_stream.jsonl', 9, { taskId: 'T2' })
    const made = await plan()
    fs.writeFileSync(layout.taskRegistry(archive.workspace, 'T1'), '{')
    const report = await applyPlan(made)
    expect(outcomes(report)).toEqual({ 'b_stream.jsonl': 'removed' })
    expect(report.problems.join()).toMatch(/T1\/AGENT_REGISTRY.json could not be read/)
  })
})

test('a task in which another retention is at work is left', async () => {
  archive.put('a_stream.jsonl', 9)
  const made = await plan()
  const file = `${layout.taskRegistry(archive.workspace, 'T1')}.lock`
  {
    using other = lockNow(file, RETENTION_BYTE)
    expect(other).toBeDefined()
    const report = await applyPlan(made)
    expect(report.outcomes).toEqual([])
    expect(report.problems.join()).toMatch(/Another retention is at work/)
  }
  expect(outcomes(await applyPlan(made))).toEqual({ 'a_stream.jsonl': 'removed' })
})

test('it waits for the lock of the registry', async () => {
  archive.put('a_stream.jsonl', 9)
  const made = await plan()
  const held = lockNow(`${layout.taskRegistry(archive.workspace, 'T1')}.lock`, REGISTRY_BYTE)
  let removed = false
  const applying = applyPlan(made, {
    log: () => {
      removed = true
    },
  })
  // Another plan reads /proc as the removal does first, so by now that waits for the lock.
  await planRetention([archive.workspace], parsePolicy())
  expect(removed).toBe(false)
  held?.[Symbol.dispose]()
  expect(outcomes(await applying)).toEqual({ 'a_stream.jsonl': 'removed' })
})

test('a plan is not executed after the clock was changed', async () => {
  archive.put('a_stream.jsonl', 9)
  const made = await plan()
  made.clock.wallMs -= DAY_MS
  const report = await applyPlan(made)
  expect(report.problems.join()).toMatch(/clock was changed/)
  expect(archive.names()).toEqual(['a_stream.jsonl'])
})

test('a workspace that is removed meanwhile is a problem, and the others are not affected', async () => {
  const other = await Archive.make()
  other.put('b_stream.jsonl', 9)
  archive.put('a_stream.jsonl', 9)
  const made = await planRetention([other.workspace, archive.workspace], parsePolicy({ minFree: '1K' }))
  await other[Symbol.asyncDispose]()
  const report = await applyPlan(made)
  expect(outcomes(report)).toEqual({ 'a_stream.jsonl': 'removed' })
  expect(report.problems.join()).toContain(other.workspace)
})

test('an abort leaves the rest to the next plan', async () => {
  for (const n of [1, 2]) archive.put(`a${n}_stream.jsonl`, 9)
  const stop = new AbortController()
  stop.abort()
  expect((await applyPlan(await plan(), { signal: stop.signal })).outcomes).toEqual([])
  expect((await applyPlan(await plan())).outcomes).toHaveLength(2)
})

test('a kill in the middle leaves the rest to the next plan', async () => {
  for (let n = 0; n < 20; n++) archive.put(`old${n}_stream.jsonl`, 9)
  archive.put('young_stream.jsonl', 1)
  const child = spawn(process.execPath, [KILLED, archive.workspace, '11'], {
    stdio: 'inherit',
  })
  const [, signal] = await once(child, 'exit')
  expect(signal).toBe('SIGKILL')
  expect(archive.names()).toHaveLength(11)
  expect((await applyPlan(await plan())).outcomes).toHaveLength(10)
  expect(archive.names()).toEqual(['young_stream.jsonl'])
})

test('10,000 archives are planned and removed, and a status can be written meanwhile', async () => {
  await archive.agent('busy', 0, { status: 'running' })
  const seconds = (Date.now() - 9 * DAY_MS) / 1000
  for (let n = 0; n < 10_000; n++) {
    const file = archive.at(`a${n}_stream.jsonl`)
    fs.writeFileSync(file, 'x\n')
    fs.utimesSync(file, seconds, seconds)
  }
  const made = await plan({ keepLast: '100', maxBytes: '1K' })
  expect(Object.values(fates(made)).filter(fate => fate === 'remove keep-days')).toHaveLength(9_900)
  const applying = applyPlan(made)
  await updateAgent({ workspace: archive.workspace, taskId: 'T1', agentId: 'busy' }, entry => {
    entry.progress = 50
  })
  const report = await applying
  expect(report.problems).toEqual([])
  expect(archive.names()).toHaveLength(100)
})
