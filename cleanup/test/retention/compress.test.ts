import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testProgram } from '../../../bin/programs.ts'
import { planRetention } from '../../index.ts'
import { applyPlan } from '../../retention/apply.ts'
import { parsePolicy } from '../../retention/policy.ts'
import { Archive, fates } from '../support/archive.ts'
import { until } from '../support/until.ts'

const KILLED = testProgram('retention-killed')
const KB = 1024

let archive: Archive
beforeEach(async () => {
  archive = await Archive.make()
})
afterEach(() => archive[Symbol.asyncDispose]())

const plan = (compress: string, keepDays = '7') =>
  planRetention([archive.workspace], parsePolicy({ compress, keepDays }))
const apply = async (compress: string) => applyPlan(await plan(compress))

function unpacked(name: string): string {
  const bytes = fs.readFileSync(archive.at(name))
  return (name.endsWith('.zst') ? zlib.zstdDecompressSync(bytes) : zlib.gunzipSync(bytes)).toString()
}

test.each([
  ['zstd', '.zst'],
  ['gzip', '.gz'],
])(
  '%s: an archive that stays becomes smaller, keeps its content, time and mode, and goes when it is old',
  async (how, ending) => {
    await archive.agent('a', 3)
    const file = archive.put('a_stream.jsonl', 3, { bytes: 300 * KB })
    fs.chmodSync(file, 0o640)
    const [text, before] = [fs.readFileSync(file, 'utf8'), fs.statSync(file)]
    archive.put('a_progress.jsonl', 3, { bytes: 5 * KB, part: 'progress' })
    archive.put('deploy_a.json', 3)
    archive.put('old_stream.jsonl', 9, { bytes: 5 * KB })
    const made = await plan(how)
    expect(fates(made)).toEqual({
      'a_stream.jsonl': 'compress compress',
      'a_progress.jsonl': 'keep young',
      'deploy_a.json': 'keep young',
      'old_stream.jsonl': 'remove keep-days',
    })
    const report = await applyPlan(made)
    expect(report.problems).toEqual([])
    const name = `a_stream.jsonl${ending}`
    expect(archive.names()).toEqual([name, 'deploy_a.json'])
    expect(unpacked(name)).toBe(text)
    const after = fs.statSync(archive.at(name))
    expect([Math.round(after.mtimeMs), after.mode]).toEqual([Math.round(before.mtimeMs), before.mode])
    expect(after.size).toBeLessThan(before.size / 2)
    expect(report.outcomes.find(({ outcome }) => outcome === 'compressed')).toMatchObject({
      to: name,
      savedBytes: before.size - after.size,
    })
    expect(fates(await plan(how))).toMatchObject({ [name]: 'keep young' })
    expect(fates(await plan(how, '2'))).toMatchObject({ [name]: 'remove keep-days' })
  },
)

test('a name that is taken is never overwritten, and the next one is a name that is known', async () => {
  for (const name of ['a_stream.jsonl', 'a_stream.1.jsonl', 'deploy_a.json']) {
    archive.put(name, 1, { bytes: 5 * KB })
    await apply('zstd')
    archive.put(name, 1, { bytes: 6 * KB })
  }
  await apply('zstd')
  expect(archive.names()).toEqual([
    'a_stream.1.jsonl.zst',
    'a_stream.2.jsonl.zst',
    'a_stream.3.jsonl.zst',
    'a_stream.jsonl.zst',
    'deploy_a.1.json.zst',
    'deploy_a.json.zst',
  ])
  expect(new Set(Object.values(fates(await plan('zstd'))))).toEqual(new Set(['keep young']))
  expect(
    archive
      .names()
      .map(name => unpacked(name).length)
      .sort(),
  ).toEqual([5, 5, 5, 6, 6, 6].map(size => size * KB))
})

test('a file that is written is not compressed, and neither is one with a second name', async () => {
  const file = archive.put('a_stream.jsonl', 1, { bytes: 5 * KB })
  fs.linkSync(archive.put('b_stream.jsonl', 1, { bytes: 5 * KB }), path.join(archive.folder, 'backup'))
  const made = await plan('zstd')
  const fd = fs.openSync(file, 'a')
  try {
    expect((await applyPlan(made)).outcomes).toMatchObject([{ outcome: 'changed' }])
    expect(fates(await plan('zstd'))).toEqual({
      'a_stream.jsonl': 'leave open',
      'b_stream.jsonl': 'keep young',
    })
  } finally {
    fs.closeSync(fd)
  }
  expect(archive.names()).toEqual(['a_stream.jsonl', 'b_stream.jsonl'])
})

test('a file that is all holes is not compressed: it would take hours, and there is nothing to win', async () => {
  await archive.agent('a', 3)
  fs.truncateSync(archive.put('a_stream.jsonl', 3, { bytes: 5 * KB }), 2 ** 40)
  expect(fates(await plan('zstd'))).toEqual({ 'a_stream.jsonl': 'keep young' })
})

test('written while it is being compressed, it stays, and no draft is left', async () => {
  const file = archive.put('a_stream.jsonl', 1, { bytes: 5 * KB })
  const report = await applyPlan(await plan('zstd'), {
    log: () => fs.appendFileSync(file, 'one more line\n'),
  })
  expect(report.outcomes).toMatchObject([{ outcome: 'changed' }])
  expect(archive.names()).toEqual(['a_stream.jsonl'])
  expect(fs.readFileSync(file, 'utf8')).toMatch(/one more line\n$/)
})

test('what cannot be compressed stays and is said; the others go on', async () => {
  archive.put('a_stream.jsonl', 1, { bytes: 5 * KB })
  archive.put('b_stream.jsonl', 1, { bytes: 5 * KB })
  fs.mkdirSync(archive.at('a_stream.jsonl.zst.part'))
  const report = await apply('zstd')
  expect(report.problems).toHaveLength(1)
  expect(report.problems[0]).toMatch(/a_stream\.jsonl could not be compressed/)
  expect(archive.names()).toEqual(['a_stream.jsonl', 'a_stream.jsonl.zst.part', 'b_stream.jsonl.zst'])
})

describe('killed with -9', () => {
  const start = (event: string, count: number) =>
    spawn(process.execPath, [KILLED, archive.workspace, 'zstd', event, String(count)], { stdio: 'inherit' })

  test.each([
    ['compress', 2],
    ['replace', 1],
    ['replace', 2],
  ])('at %s (%i) it has lost nothing, and the next one leaves each log once', async (event, count) => {
    const texts = ['a', 'b', 'c'].map(id =>
      fs.readFileSync(archive.put(`${id}_stream.jsonl`, 1, { bytes: 9 * KB }), 'utf8'),
    )
    const [, signal] = await once(start(event, count), 'exit')
    expect(signal).toBe('SIGKILL')
    expect(archive.names().some(name => name.endsWith('.part'))).toBe(true)
    const report = await apply('zstd')
    // A draft of before stands in the plan, and compressing may have used its name already.
    expect(report.problems).toEqual([])
    expect(archive.names()).toEqual(['a', 'b', 'c'].map(id => `${id}_stream.jsonl.zst`))
    expect(archive.names().map(unpacked)).toEqual(texts)
  })

  test('in the middle of a large one, the original is whole and the half draft goes, also without compression', async () => {
    const file = archive.put('a_stream.jsonl', 1, { bytes: 40 * KB * KB })
    // Most of it a hole: it takes long to read, and no disk.
    fs.truncateSync(file, 1e9)
    const { size } = fs.statSync(file)
    const child = start('never', 1)
    const draft = archive.at('a_stream.jsonl.zst.part')
    await until('the draft has begun', () => (fs.statSync(draft, { throwIfNoEntry: false })?.size ?? 0) > 0)
    child.kill('SIGSTOP')
    // While it is being written it is nobody's to remove.
    expect(fates(await plan('none'))['a_stream.jsonl.zst.part']).toBe('leave open')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(fs.statSync(file).size).toBe(size)
    expect(archive.names()).toEqual(['a_stream.jsonl', 'a_stream.jsonl.zst.part'])
    expect(fates(await plan('none'))).toMatchObject({ 'a_stream.jsonl.zst.part': 'remove leftover' })
    await apply('none')
    expect(archive.names()).toEqual(['a_stream.jsonl'])
  })
})
