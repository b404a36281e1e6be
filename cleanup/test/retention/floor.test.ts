import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, type TestContext, test } from 'vitest'
import { layout } from '../../orchestrator.ts'
import { holdRetention } from '../../retention/hold.ts'
import { Archive } from '../support/archive.ts'
import { type CommandResult, runRetention } from '../support/run-command.ts'
import { SmallDisk } from '../support/small-disk.ts'

const MB = 1024 * 1024

let disk: SmallDisk | string
let archive: Archive
beforeEach(async () => {
  disk = await SmallDisk.mount('size=16m,nr_inodes=300')
  if (typeof disk !== 'string') archive = await Archive.inFolder(disk.outside)
})
afterEach(async () => {
  if (typeof disk !== 'string') await disk[Symbol.asyncDispose]()
})

/** The disk. Skips the test where mounting is not allowed. */
function mounted({ skip }: TestContext): SmallDisk {
  return typeof disk === 'string' ? skip(disk) : disk
}

/** Runs the command in the disk's mount namespace, on workspaces of that disk. */
function run(
  { inside, nsenter }: SmallDisk,
  args: string[],
  workspaces = ['.agent-workspace'],
): Promise<CommandResult> {
  return runRetention([...workspaces.map(name => path.join(inside, name)), ...args], nsenter)
}

/** The log of a running agent, which must stay. */
async function liveLog(bytes: number): Promise<string> {
  await archive.agent('live', 0, { status: 'running' })
  return archive.put('live_stream.jsonl', 50, { bytes, part: 'logs' })
}

test('on a disk without free bytes and inodes, the oldest archives are removed until the floor is reached, and no more', async context => {
  const small = mounted(context)
  const live = await liveLog(2 * MB)
  for (const n of [1, 2, 3, 4]) archive.put(`a${n}_stream.jsonl`, n, { bytes: MB })
  // A missing lock file cannot be created on a full disk.
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

test('the oldest of all workspaces on the disk are removed first, after those that are too old', async context => {
  const small = mounted(context)
  const other = await Archive.inFolder(fs.mkdtempSync(path.join(small.outside, 'other-')))
  archive.put('a_stream.jsonl', 9, { bytes: MB })
  archive.put('b_stream.jsonl', 3, { bytes: MB })
  other.put('c_stream.jsonl', 4, { bytes: MB })
  other.put('d_stream.jsonl', 2, { bytes: MB })
  const wanted = String(small.freeBytes() + 2 * MB)
  const workspaces = ['.agent-workspace', path.relative(small.outside, other.workspace)]
  const { code } = await run(small, ['--min-free', wanted, '--apply'], workspaces)
  expect([code, archive.names(), other.names()]).toEqual([0, ['b_stream.jsonl'], ['d_stream.jsonl']])
})

test('when all archives together are not enough, it reports that and the largest files', async context => {
  const small = mounted(context)
  const live = await liveLog(8 * MB)
  for (const n of [1, 2, 3]) archive.put(`a${n}_stream.jsonl`, n, { bytes: MB })
  fs.linkSync(archive.put('b_stream.jsonl', 3, { bytes: MB }), path.join(small.outside, 'backup'))
  const { code, out } = await run(small, ['--min-free', '90%', '--keep-last', '1', '--apply'])
  expect(code).toBe(1)
  // keep-last protects the newest, and the hard link of the backup keeps the bytes of b.
  expect(archive.names()).toEqual(['a1_stream.jsonl', 'b_stream.jsonl'])
  expect(fs.statSync(live).size).toBe(8 * MB)
  expect(out).toMatch(/free of the 14 MiB wanted/)
  expect(out).toMatch(/8\.0 MiB .*T1\/logs\/live_stream\.jsonl/)
})

test('a hold also protects archives on a full disk, and is reported', async context => {
  const small = mounted(context)
  archive.put('a_stream.jsonl', 9, { bytes: MB })
  holdRetention(archive.workspace, { until: '2999-01-01', reason: 'mass death' })
  small.fill()
  const held = await run(small, ['--min-free', '1M', '--apply'])
  expect([held.code, archive.names()]).toEqual([1, ['a_stream.jsonl']])
  expect(held.out).toMatch(/1\.0 MiB of archives are kept by keep-last or by a hold/)
  expect((await run(small, ['--min-free', '1M', '--apply', '--ignore-hold'])).code).toBe(0)
  expect(archive.names()).toEqual([])
})
