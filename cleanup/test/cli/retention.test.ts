import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { layout } from '../../orchestrator.ts'
import { lockNow, REGISTRY_BYTE } from '../../registry/locks.ts'
import { holdRetention, oldPolicyFile } from '../../retention/hold.ts'
import { Archive } from '../support/archive.ts'
import { commandWords, RunningCommand, runRetention } from '../support/run-command.ts'
import { until } from '../support/until.ts'

let archive: Archive
beforeEach(async () => {
  archive = await Archive.make()
})
afterEach(() => archive[Symbol.asyncDispose]())

const run = (...args: string[]) => runRetention([archive.workspace, ...args])

/** The files of a list, without their ages, which grow during the test. */
const listed = (out: string): string[] =>
  (out.split('\n\n')[0] ?? '').split('\n').map(line => line.replace(/ +[\d.]+ d /, ' '))

async function mixed(): Promise<void> {
  await archive.agent('live', 0, { status: 'running' })
  await archive.agent('a')
  archive.put('live_progress.jsonl', 20)
  archive.put('a_stream.jsonl', 9, { bytes: 5000 })
  archive.put('b_stream.jsonl', 1, { bytes: 5000 })
  archive.put('a_findings.jsonl', 9, { part: 'findings' })
  archive.put('deploy_a.json', -9)
  archive.put('a\nb\u001b[31m.txt', 9)
}

test('without --apply nothing is changed, and the list is the one that --apply prints and executes', async () => {
  await mixed()
  const before = [archive.names(), archive.names('findings')]
  expect((await run('--keep-days', '99')).out).toMatch(/There is nothing to remove\.\n$/)
  const dry = await run()
  expect(dry.err).toBe('')
  expect(dry.code).toBe(0)
  expect([archive.names(), archive.names('findings')]).toEqual(before)
  expect(dry.out).toContain('--apply does it')
  const applied = await run('--apply')
  expect(listed(applied.out)).toEqual(listed(dry.out))
  expect(listed(dry.out).filter(line => line.startsWith('  remove'))).toEqual([
    expect.stringMatching(/stream +4\.9 KiB +T1\/archive\/a_stream\.jsonl {2}\(older than 7 days\)/),
    expect.stringMatching(/findings +10 B +T1\/findings\/a_findings\.jsonl/),
  ])
  expect(applied.out).toMatch(/2 files removed, 4\.9 KiB less/)
  expect(archive.names()).toEqual([
    'a\nb\u001b[31m.txt',
    'b_stream.jsonl',
    'deploy_a.json',
    'live_progress.jsonl',
  ])
  expect(archive.names('findings')).toEqual([])
})

test('a file name can neither break the list nor control the terminal', async () => {
  await mixed()
  const { out } = await run()
  expect(out).not.toContain('\u001b')
  expect(listed(out).filter(line => line.includes('[31m'))).toHaveLength(1)
})

test('--json: the plan of a dry run is what --apply does', async () => {
  await mixed()
  const plain = (text: string) =>
    JSON.parse(text).files.map(({ path: file, action, rule }: Record<string, string>) => [file, action, rule])
  const dry = await run('--json')
  const applied = await run('--json', '--apply')
  expect(plain(dry.out)).toEqual(plain(applied.out))
  const files: Record<string, unknown>[] = JSON.parse(applied.out).files
  const done = files.filter(({ outcome }) => outcome === 'removed').map(({ path: file }) => file)
  expect(done).toEqual(files.filter(({ action }) => action === 'remove').map(({ path: file }) => file))
  expect(done.filter(file => fs.existsSync(String(file)))).toEqual([])
  expect(JSON.parse(dry.out).applied).toBe(false)
})

test('a registry that cannot be read: its files stay, the rest is done, exit 3', async () => {
  await archive.task('T2')
  archive.put('a_stream.jsonl', 9)
  archive.put('b_stream.jsonl', 9, { taskId: 'T2' })
  fs.writeFileSync(layout.taskRegistry(archive.workspace, 'T1'), '{"agents"')
  expect((await run('--keep-days', '99')).out).toMatch(
    /There is nothing to remove in what could be read\.\n$/,
  )
  const { code, err } = await run('--apply')
  expect(code).toBe(3)
  expect(err).toMatch(/leakrig: The registry .*T1\/AGENT_REGISTRY\.json could not be read/)
  expect([archive.names(), archive.names('archive', 'T2')]).toEqual([['a_stream.jsonl'], []])
})

test('a hold is honoured and named, --ignore-hold overrides it', async () => {
  archive.put('a_stream.jsonl', 9)
  holdRetention(archive.workspace, { until: '2999-01-01T00:00:00Z', reason: '7 of 9 agents died at once' })
  const held = await run('--apply')
  expect([held.code, archive.names()]).toEqual([0, ['a_stream.jsonl']])
  expect(held.out).toMatch(/hold until 2999-01-01T00:00:00Z: 7 of 9 agents died at once/)
  expect((await run('--apply', '--ignore-hold')).code).toBe(0)
  expect(archive.names()).toEqual([])
})

test('the policy file of an earlier version is a problem, and nothing is removed', async () => {
  archive.put('a_stream.jsonl', 9)
  fs.writeFileSync(oldPolicyFile(archive.workspace), '{"keep-days": 30}')
  const { code, err } = await run('--apply')
  expect([code, archive.names()]).toEqual([3, ['a_stream.jsonl']])
  expect(err).toMatch(
    /^leakrig: .*registry\/retention\.json is no longer read; use the options --keep-days.*\n$/,
  )
})

test('without a name, the workspace in the current folder is used', async () => {
  archive.put('a_stream.jsonl', 9)
  const { code } = await runRetention(['--apply'], [], archive.folder)
  expect([code, archive.names()]).toEqual([0, []])
})

test.each([
  [['--keep-days', 'soon'], /^leakrig: --keep-days "soon" is refused/],
  [['--keep-days', 'stream=3,findings=30'], /expected one number of days/],
  [['--compress', 'zstd'], /The option --compress was removed/],
  [['--min-free', 'all'], /1G or 5%/],
  [['--frobnicate'], /unknown option/],
  [['/does/not/exist'], /\/does\/not\/exist/],
])('%j is wrong usage, and nothing is removed', async (args, message) => {
  archive.put('a_stream.jsonl', 99)
  const { code, err } = await run(...args, '--apply')
  expect(err).toMatch(message)
  expect([code, archive.names()]).toEqual([2, ['a_stream.jsonl']])
})

test('without a /proc it refuses, because it cannot tell which files are being written', async () => {
  archive.put('a_stream.jsonl', 99)
  const script = 'mount -t tmpfs leakrig /proc || { echo no mount; exit; }; exec "$@"'
  const without = ['unshare', '--mount', 'sh', '-c', script, 'sh']
  const { code, out, err } = await runRetention([archive.workspace, '--apply'], without)
  needs('permission to mount', !out.includes('no mount') && !err.startsWith('unshare:'))
  expect(err).toMatch(/leakrig: Retention needs \/proc/)
  expect([code, archive.names()]).toEqual([3, ['a_stream.jsonl']])
})

test('stopped in the middle it leaves the rest to another run, and says so', async () => {
  await archive.task('T2')
  archive.put('a_stream.jsonl', 9)
  archive.put('b_stream.jsonl', 9, { taskId: 'T2' })
  const file = `${layout.taskRegistry(archive.workspace, 'T1')}.lock`
  const held = lockNow(file, REGISTRY_BYTE)
  const running = new RunningCommand(commandWords('retention', archive.workspace, '--apply'))
  const descriptors = `/proc/${running.child.pid}/fd`
  const opens = (fd: string) =>
    fs.readlinkSync(`${descriptors}/${fd}`, { encoding: 'utf8' }) === fs.realpathSync(file)
  await until('it waits for the registry', () => readable(() => fs.readdirSync(descriptors).some(opens)))
  running.child.kill('SIGINT')
  held?.[Symbol.dispose]()
  expect(await running.end()).toMatchObject({
    code: 3,
    err: 'leakrig: Stopped between two files; another run does the rest.\n',
  })
  expect([archive.names(), archive.names('archive', 'T2')]).toEqual([[], ['b_stream.jsonl']])
})

/** False while a process starts or closes a descriptor. */
function readable(read: () => boolean): boolean {
  try {
    return read()
  } catch {
    return false
  }
}

test('a reader of the list that leaves early does not end the work', async () => {
  for (let n = 0; n < 3000; n++) archive.put(`a${n}_stream.jsonl`, 9)
  const headOnly = ['sh', '-c', '"$@" | head -1', 'sh']
  const { out } = await runRetention([archive.workspace, '--apply'], headOnly)
  expect(out.trim()).toBe(archive.workspace)
  expect(archive.names()).toEqual([])
})
