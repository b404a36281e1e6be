import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, type TestContext, test } from 'vitest'
import { layout } from '../../orchestrator.ts'
import { holdRetention } from '../../retention/hold.ts'
import { policyFile } from '../../retention/policy-file.ts'
import { Archive } from '../support/archive.ts'
import { type Ran, runRetention } from '../support/run-retention.ts'
import { SmallDisk } from '../support/small-disk.ts'

const MB = 1024 * 1024

let disk: SmallDisk | string
let archive: Archive
beforeEach(async () => {
  disk = await SmallDisk.mount('size=16m,nr_inodes=300')
  if (typeof disk !== 'string') archive = await Archive.in(disk.outside)
})
afterEach(async () => {
  if (typeof disk !== 'string') await disk[Symbol.asyncDispose]()
})

/** The disk; where there is none the test is skipped, and says why. */
function mounted({ skip }: TestContext): SmallDisk {
  return typeof disk === 'string' ? skip(disk) : disk
}

/** Runs the command on the disk, on workspaces that lie in it. */
function run({ inside, within }: SmallDisk, args: string[], workspaces = ['.agent-workspace']): Promise<Ran> {
  return runRetention([...workspaces.map(name => path.join(inside, name)), ...args], within)
}

/** A running agent's log, which nothing may touch. */
async function liveLog(bytes: number): Promise<string> {
  await archive.agent('live', 0, { status: 'running' })
  return archive.put('live_stream.jsonl', 50, { bytes, part: 'logs' })
}

test('on a disk without a byte or a name left, the oldest archives go until the floor is reached, and no more', async context => {
  const small = mounted(context)
  const live = await liveLog(2 * MB)
  for (const n of [1, 2, 3, 4]) archive.put(`a${n}_stream.jsonl`, n, { bytes: MB })
  // A lock file that nobody has made yet cannot be made on a full disk.
  fs.rmSync(`${layout.taskRegistry(archive.workspace, 'T1')}.lock`)
  small.fill()
  expect(small.freeBytes()).toBe(0)
  const dry = await run(small, ['--min-free', '2M'])
  expect([dry.code, archive.names()]).toEqual([
    0,
    ['a1_stream.jsonl', 'a2_stream.jsonl', 'a3_stream.jsonl', 'a4_stream.jsonl'],
  ])
  const applied = await run(small, ['--min-free', '2M', '--apply'])
  expect(applied.err).toBe('')
  expect(applied.code).toBe(0)
  expect(archive.names()).toEqual(['a1_stream.jsonl', 'a2_stream.jsonl'])
  expect(small.freeBytes()).toBeGreaterThanOrEqual(2 * MB)
  expect(fs.statSync(live).size).toBe(2 * MB)
})

test('the oldest of all workspaces on it go first; what goes by age counts', async context => {
  const small = mounted(context)
  const other = await Archive.in(fs.mkdtempSync(path.join(small.outside, 'other-')))
  archive.put('a_stream.jsonl', 9, { bytes: MB })
  archive.put('b_stream.jsonl', 3, { bytes: MB })
  other.put('c_stream.jsonl', 4, { bytes: MB })
  other.put('d_stream.jsonl', 2, { bytes: MB })
  const wanted = String(small.freeBytes() + 2 * MB)
  const workspaces = ['.agent-workspace', path.relative(small.outside, other.workspace)]
  const { code } = await run(small, ['--min-free', wanted, '--apply'], workspaces)
  expect([code, archive.names(), other.names()]).toEqual([0, ['b_stream.jsonl'], ['d_stream.jsonl']])
})

test('a floor that one workspace’s own policy sets takes nothing from another workspace', async context => {
  const small = mounted(context)
  const other = await Archive.in(fs.mkdtempSync(path.join(small.outside, 'other-')))
  archive.put('a_stream.jsonl', 3, { bytes: MB })
  other.put('b_stream.jsonl', 4, { bytes: MB })
  other.put('c_stream.jsonl', 2, { bytes: MB })
  // An agent can write that.
  fs.writeFileSync(policyFile(archive.workspace), '{"min-free":"99%"}')
  const workspaces = ['.agent-workspace', path.relative(small.outside, other.workspace)]
  expect((await run(small, ['--apply'], workspaces)).code).toBe(1)
  expect([archive.names(), other.names()]).toEqual([[], ['b_stream.jsonl', 'c_stream.jsonl']])
  const wanted = String(small.freeBytes() + MB / 2)
  fs.writeFileSync(policyFile(other.workspace), JSON.stringify({ 'min-free': wanted }))
  expect((await run(small, ['--apply'], workspaces)).code).toBe(1)
  expect(other.names()).toEqual(['c_stream.jsonl'])
})

test('when all archives are not enough it says so, and what takes the most space', async context => {
  const small = mounted(context)
  const live = await liveLog(8 * MB)
  for (const n of [1, 2, 3]) archive.put(`a${n}_stream.jsonl`, n, { bytes: MB })
  fs.linkSync(archive.put('b_stream.jsonl', 3, { bytes: MB }), path.join(small.outside, 'backup'))
  const { code, out } = await run(small, ['--min-free', '90%', '--keep-last', '1', '--apply'])
  expect(code).toBe(1)
  // The newest stays because that was asked for, and what a backup holds as well frees nothing.
  expect(archive.names()).toEqual(['a1_stream.jsonl', 'b_stream.jsonl'])
  expect(fs.statSync(live).size).toBe(8 * MB)
  expect(out).toMatch(/free of the 14M wanted/)
  expect(out).toMatch(/8\.0M .*T1\/logs\/live_stream\.jsonl/)
})

test('a hold keeps them on a full disk too, and that is said', async context => {
  const small = mounted(context)
  archive.put('a_stream.jsonl', 9, { bytes: MB })
  holdRetention(archive.workspace, { until: '2999-01-01', reason: 'mass death' })
  small.fill()
  const held = await run(small, ['--min-free', '1M', '--apply'])
  expect([held.code, archive.names()]).toEqual([1, ['a_stream.jsonl']])
  expect(held.out).toMatch(/1\.0M of archives are kept by keep-last or by a hold/)
  expect((await run(small, ['--min-free', '1M', '--apply', '--ignore-hold'])).code).toBe(0)
  expect(archive.names()).toEqual([])
})

test('without space to compress in, every archive stays whole, and it is said', async context => {
  const small = mounted(context)
  const texts = ['a', 'b'].map(id =>
    fs.readFileSync(archive.put(`${id}_stream.jsonl`, 1, { bytes: MB }), 'utf8'),
  )
  const filler = path.join(small.outside, 'filler', 'bytes')
  small.fill()
  // Names there are, and a few bytes: the draft begins and cannot end.
  fs.rmSync(path.join(small.outside, 'filler', '0'))
  fs.truncateSync(filler, fs.statSync(filler).size - 8192)
  const { code, err } = await run(small, ['--compress', 'gzip', '--apply'])
  expect(code).toBe(3)
  expect(err).toMatch(/a_stream\.jsonl could not be compressed.*ENOSPC/)
  // The next one would fail too: it is not even tried.
  expect(err).not.toContain('b_stream.jsonl')
  expect(archive.names()).toEqual(['a_stream.jsonl', 'b_stream.jsonl'])
  expect(['a', 'b'].map(id => fs.readFileSync(archive.at(`${id}_stream.jsonl`), 'utf8'))).toEqual(texts)
})
