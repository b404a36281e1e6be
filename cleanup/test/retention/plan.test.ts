import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { planRetention } from '../../index.ts'
import { addAgent } from '../../orchestrator.ts'
import { Folder } from '../../platform/files/folder.ts'
import { moveInto } from '../../platform/files/move-file.ts'
import { startOf } from '../../platform/processes/table.ts'
import { readClock } from '../../retention/clock.ts'
import { holdFile, holdRetention, oldPolicyFile } from '../../retention/hold.ts'
import { parsePolicy } from '../../retention/policy.ts'
import { Archive, DAY_MS, fates, planned } from '../support/archive.ts'

let archive: Archive
const children: ChildProcess[] = []
beforeEach(async () => {
  archive = await Archive.make()
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await archive[Symbol.asyncDispose]()
})

const plan = (texts = {}, options = {}) => planRetention([archive.workspace], parsePolicy(texts), options)

function sleeper(): ChildProcess {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
  children.push(child)
  return child
}

describe('by age', () => {
  test('older files are removed, and fractions of a day count', async () => {
    archive.put('a_stream.jsonl', 8)
    archive.put('b_stream.jsonl', 6)
    archive.put('deploy_a.1.json', 6.6)
    archive.put('deploy_b.json', 6.4)
    const found = await plan({ keepDays: '6.5' })
    expect(fates(found)).toEqual({
      'a_stream.jsonl': 'remove keep-days',
      'b_stream.jsonl': 'keep young',
      'deploy_a.1.json': 'remove keep-days',
      'deploy_b.json': 'keep young',
    })
    expect(found.problems).toEqual([])
    expect(found.totals.find(({ rule, class: kind }) => rule === 'keep-days' && kind === 'stream')).toEqual({
      class: 'stream',
      action: 'remove',
      rule: 'keep-days',
      files: 1,
      bytes: 10,
    })
  })

  test('an archive that an earlier version compressed counts like any other, and its drafts are removed', async () => {
    archive.put('a_findings.jsonl.zst', 8)
    archive.put('a_stream.1.jsonl.gz', 8)
    archive.put('b_stream.jsonl.zst', 6)
    archive.put('c_stream.jsonl', 6.5)
    archive.put('c_stream.jsonl.zst.part', 6)
    const found = await plan({ keepLast: '1' })
    expect(fates(found)).toEqual({
      'a_findings.jsonl.zst': 'keep keep-last',
      'a_stream.1.jsonl.gz': 'remove keep-days',
      'b_stream.jsonl.zst': 'keep keep-last',
      'c_stream.jsonl': 'keep young',
      'c_stream.jsonl.zst.part': 'remove draft',
    })
    const writer = fs.openSync(archive.at('c_stream.jsonl.zst.part'), 'a')
    try {
      // A daemon of the earlier version may still be at work.
      expect(fates(await plan())).toMatchObject({ 'c_stream.jsonl.zst.part': 'leave open' })
    } finally {
      fs.closeSync(writer)
    }
  })

  test('the age counts from the end of the cleanup when that came after the last event', async () => {
    await archive.agent('idled', 1)
    await archive.agent('old', 9)
    archive.put('idled_stream.jsonl', 20)
    archive.put('old_stream.jsonl', 20)
    expect(fates(await plan())).toEqual({
      'idled_stream.jsonl': 'keep young',
      'old_stream.jsonl': 'remove keep-days',
    })
  })

  test('a time that cannot be right counts as new, and is reported', async () => {
    await archive.agent('tomorrow', -2)
    archive.put('future_stream.jsonl', -400)
    // One minute into 1970, because for an earlier time utimes of Node sets the present time.
    archive.put('epoch_stream.jsonl', (Date.now() - 60_000) / DAY_MS)
    archive.put('tomorrow_stream.jsonl', 30)
    archive.put('fine_stream.jsonl', 30)
    const found = await plan({ maxBytes: '30' })
    expect(fates(found)).toEqual({
      'future_stream.jsonl': 'keep time',
      'epoch_stream.jsonl': 'keep time',
      'tomorrow_stream.jsonl': 'keep time',
      'fine_stream.jsonl': 'remove keep-days',
    })
    expect(found.notes.join()).toMatch(/3 files have a time that cannot be right/)
  })

  test('after the clock was changed no file is removed by age: a live agent or an earlier reading reveals the change', async () => {
    archive.put('a_stream.jsonl', 9)
    const now = readClock()
    expect(fates(await plan({}, { since: now }))).toEqual({ 'a_stream.jsonl': 'remove keep-days' })
    for (const days of [-3, 3]) {
      const since = { ...now, wallMs: now.wallMs + days * DAY_MS }
      const found = await plan({}, { since })
      expect(fates(found)).toEqual({ 'a_stream.jsonl': 'keep clock' })
      expect(found.notes.join()).toMatch(/clock was changed/)
    }
    const { pid = -1 } = sleeper()
    const tmux = (ago: number) => ({
      socket: '/x',
      server_pid: 1,
      session_id: '$1',
      session_created: Math.floor((Date.now() - ago) / 1000),
      pane_id: '%1',
      pane_pid: pid,
      pane_start: startOf(pid) ?? -1,
    })
    await archive.agent('b', 0, { status: 'running', tmux: tmux(0) })
    expect(fates(await plan())).toEqual({ 'a_stream.jsonl': 'remove keep-days' })
    await archive.agent('c', 0, { status: 'running', tmux: tmux(2 * DAY_MS) })
    expect(fates(await plan())).toEqual({ 'a_stream.jsonl': 'keep clock' })
  })
})

describe('by number and size', () => {
  test('the newest of each class always stay', async () => {
    for (const n of [1, 2, 3])
      for (const kind of ['stream', 'progress']) archive.put(`a${n}_${kind}.jsonl`, 10 + n)
    expect(fates(await plan({ keepLast: '1', maxBytes: '0' }))).toEqual({
      'a1_stream.jsonl': 'keep keep-last',
      'a2_stream.jsonl': 'remove keep-days',
      'a3_stream.jsonl': 'remove keep-days',
      'a1_progress.jsonl': 'keep keep-last',
      'a2_progress.jsonl': 'remove keep-days',
      'a3_progress.jsonl': 'remove keep-days',
    })
  })

  test('the oldest are removed until a workspace is no larger, all classes together', async () => {
    await archive.agent('live', 0, { status: 'running' })
    archive.put('live_stream.jsonl', 6, { bytes: 1000 })
    for (const n of [1, 2, 3, 4]) archive.put(`a${n}_stream.jsonl`, n, { bytes: 1000 })
    for (const n of [1, 2]) archive.put(`deploy_a${n}.json`, 5 + n / 10, { bytes: 1000 })
    const other = await Archive.make()
    other.put('b_stream.jsonl', 6, { bytes: 1000 })
    try {
      const both = await planRetention(
        [archive.workspace, other.workspace],
        parsePolicy({ maxBytes: '4000' }),
      )
      expect(fates(both)).toEqual({
        'live_stream.jsonl': 'leave live',
        'a1_stream.jsonl': 'keep young',
        'a2_stream.jsonl': 'keep young',
        'a3_stream.jsonl': 'keep young',
        'a4_stream.jsonl': 'remove max-bytes',
        'deploy_a1.json': 'remove max-bytes',
        'deploy_a2.json': 'remove max-bytes',
        'b_stream.jsonl': 'keep young',
      })
    } finally {
      await other[Symbol.asyncDispose]()
    }
  })
})

describe('guards', () => {
  test('protect files of agents that are live, pending or unlisted', async () => {
    await archive.agent('live', 0, { status: 'running' })
    await archive.agent('odd', 0, { status: 'pondering' })
    await archive.agent('pending', 0, { cleanup: { state: 'pending', since: '', reason: '' } })
    await addAgent({ workspace: archive.workspace, taskId: 'T1', agentId: 'never' }, { status: 'crashed' })
    for (const id of ['live', 'odd', 'pending', 'never', 'pruned']) {
      archive.put(`${id}_stream.jsonl`, 99)
      archive.put(`${id}_progress.jsonl`, 99, { part: 'progress' })
      archive.put(`deploy_${id}.json`, 99, { part: 'logs' })
    }
    expect(fates(await plan({ maxBytes: '0' }))).toEqual({
      'live_stream.jsonl': 'leave live',
      'live_progress.jsonl': 'leave live',
      'deploy_live.json': 'leave live',
      'odd_stream.jsonl': 'leave live',
      'odd_progress.jsonl': 'leave live',
      'deploy_odd.json': 'leave live',
      'pending_stream.jsonl': 'leave pending',
      'pending_progress.jsonl': 'leave pending',
      'deploy_pending.json': 'leave pending',
      'never_stream.jsonl': 'leave pending',
      'never_progress.jsonl': 'leave pending',
      'deploy_never.json': 'leave pending',
      // In the archive its agent was cleaned up; elsewhere nothing proves that.
      'pruned_stream.jsonl': 'remove keep-days',
      'pruned_progress.jsonl': 'leave unlisted',
      'deploy_pruned.json': 'leave unlisted',
    })
  })

  test('outside the archive, deploy log, progress and findings of a finished agent are removed from their own folders only', async () => {
    await archive.agent('a')
    archive.put('a_stream.jsonl', 99, { part: 'logs' })
    archive.put('deploy_a.json', 99, { part: 'logs' })
    archive.put('a_progress.jsonl', 99, { part: 'progress' })
    archive.put('a_findings.jsonl', 99, { part: 'findings' })
    archive.put('a_findings.1.jsonl', 99, { part: 'progress' })
    archive.put('prompt.txt', 99, { part: 'logs' })
    expect(fates(await plan({ maxBytes: '0' }))).toEqual({
      'a_stream.jsonl': 'leave not-archived',
      'deploy_a.json': 'remove keep-days',
      'a_progress.jsonl': 'remove keep-days',
      'a_findings.jsonl': 'remove keep-days',
      'a_findings.1.jsonl': 'leave not-archived',
      'prompt.txt': 'leave unknown',
    })
  })

  test('the log of a live agent is left because the agent lives, not because of its place', async () => {
    await archive.agent('a', 0, { status: 'running' })
    archive.put('a_stream.jsonl', 99, { part: 'logs' })
    expect(fates(await plan({ maxBytes: '0' }))).toEqual({ 'a_stream.jsonl': 'leave live' })
  })

  test('of two entries with one id, the one that protects more counts', async () => {
    await archive.agent('a')
    const file = path.join(archive.workspace, 'T1', 'AGENT_REGISTRY.json')
    const registry = JSON.parse(fs.readFileSync(file, 'utf8'))
    for (const agents of [
      [...registry.agents, { id: 'a', status: 'running' }],
      [{ id: 'a', status: 'running' }, ...registry.agents],
    ]) {
      fs.writeFileSync(file, JSON.stringify({ ...registry, agents }))
      archive.put('a_stream.jsonl', 99)
      expect(fates(await plan())).toEqual({ 'a_stream.jsonl': 'leave live' })
    }
  })

  test('protect a file that is being written, even when it was opened under another name; a reader does not matter', async () => {
    const log = archive.put('a_stream.jsonl', 99, { part: 'logs' })
    const fd = fs.openSync(log, 'a')
    const writer = spawn('sleep', ['1000'], { stdio: ['ignore', fd, 'ignore'] })
    fs.closeSync(fd)
    const read = archive.put('b_stream.jsonl', 99)
    const reader = spawn('tail', ['-f', read], { stdio: ['ignore', 'pipe', 'ignore'] })
    children.push(writer, reader)
    await once(reader.stdout as NodeJS.ReadableStream, 'data')
    using from = Folder.root(path.dirname(log))
    using target = Folder.root(path.dirname(read))
    moveInto(target, from, path.basename(log))
    expect(fates(await plan())).toEqual({
      'a_stream.jsonl': 'leave open',
      'b_stream.jsonl': 'remove keep-days',
    })
  })

  test.each(['', '{', '{"agents": 3}', 'gone', 'link', 'fifo'])(
    'protect everything in a task whose registry is %j, and nothing in other tasks',
    async text => {
      const file = path.join(archive.workspace, 'T1', 'AGENT_REGISTRY.json')
      if (text === 'link') fs.renameSync(file, `${file}.real`)
      else fs.rmSync(file)
      if (text === 'link') fs.symlinkSync(`${file}.real`, file)
      else if (text === 'fifo') spawnSync('mkfifo', [file])
      else if (text !== 'gone') fs.writeFileSync(file, text)
      await archive.task('T2')
      archive.put('a_stream.jsonl', 99)
      archive.put('b_stream.jsonl', 99, { taskId: 'T2' })
      const found = await plan({ maxBytes: '0' })
      expect(fates(found)).toEqual({
        'a_stream.jsonl': 'leave registry-unreadable',
        'b_stream.jsonl': 'remove keep-days',
      })
      expect(found.problems).toHaveLength(1)
      expect(found.problems[0]).toContain(file)
    },
  )

  test('follow no link, and let only a regular file of a known class be removed', async () => {
    const victim = path.join(archive.folder, 'victim.jsonl')
    fs.writeFileSync(victim, 'mine')
    fs.symlinkSync(victim, archive.at('link_stream.jsonl'))
    fs.mkdirSync(archive.at('folder_stream.jsonl'))
    spawnSync('mkfifo', [archive.at('fifo_stream.jsonl')])
    spawnSync('mkfifo', [archive.at('fifo_stream.jsonl.zst.part')])
    const names = ['-rf_stream.jsonl', 'a\nb_stream.jsonl', 'ü_stream.jsonl', '\u202eevil_stream.jsonl']
    for (const name of names) archive.put(name, 99)
    fs.writeFileSync(Buffer.concat([Buffer.from(`${archive.at('')}/`), Buffer.from([0xff, 0x2e])]), 'x')
    archive.put('good_stream.jsonl', 99)
    const found = fates(await plan({ maxBytes: '0' }))
    expect(found).toEqual({
      ...Object.fromEntries([...names, '\ufffd.'].map(name => [name, 'leave unknown'])),
      'link_stream.jsonl': 'leave not-a-file',
      'folder_stream.jsonl': 'leave not-a-file',
      'fifo_stream.jsonl': 'leave not-a-file',
      'fifo_stream.jsonl.zst.part': 'leave not-a-file',
      'good_stream.jsonl': 'remove keep-days',
    })
  })

  test('folders that are links are refused and named', async () => {
    const outside = path.join(archive.folder, 'outside')
    fs.cpSync(path.join(archive.workspace, 'T1'), outside, { recursive: true })
    fs.writeFileSync(path.join(outside, 'archive', 'a_stream.jsonl'), 'x')
    fs.utimesSync(path.join(outside, 'archive', 'a_stream.jsonl'), 1.75e9, 1.75e9)
    fs.symlinkSync(outside, path.join(archive.workspace, 'T2'))
    fs.rmdirSync(archive.at('', 'archive'))
    fs.symlinkSync(path.join(outside, 'archive'), archive.at('', 'archive').replace(/\/$/, ''))
    const found = await plan({ maxBytes: '0' })
    expect(found.files).toEqual([])
    expect(found.problems.join('\n')).toMatch(/T1\/archive is refused.*symbolic link/)
    expect(found.problems.join('\n')).toMatch(/T2 is refused.*symbolic link/)
  })
})

describe('a hold', () => {
  test('keeps everything until it expires, unless it is ignored', async () => {
    archive.put('a_stream.jsonl', 99)
    const hold = (ms: number) => ({
      until: new Date(Date.now() + ms).toISOString(),
      reason: 'mass death of 7',
    })
    holdRetention(archive.workspace, hold(DAY_MS))
    const found = await plan({ maxBytes: '0', minFree: '99%' })
    expect(fates(found)).toEqual({ 'a_stream.jsonl': 'keep hold' })
    expect(found.notes.join()).toContain('mass death of 7')
    expect(fates(await plan({}, { ignoreHold: true }))).toEqual({ 'a_stream.jsonl': 'remove keep-days' })
    holdRetention(archive.workspace, hold(-1))
    expect(fates(await plan())).toEqual({ 'a_stream.jsonl': 'remove keep-days' })
  })

  test.each(['{', '{"until": "soon"}', '[]'])(
    'with the content %j is in force, and a problem',
    async text => {
      archive.put('a_stream.jsonl', 99)
      fs.writeFileSync(holdFile(archive.workspace), text)
      const found = await plan()
      expect(fates(found)).toEqual({ 'a_stream.jsonl': 'keep hold' })
      expect(found.problems.join()).toContain(holdFile(archive.workspace))
    },
  )

  test('stands for the policy file of an earlier version, whose values today’s options may not keep', async () => {
    archive.put('a_stream.jsonl', 99)
    const file = oldPolicyFile(archive.workspace)
    fs.writeFileSync(file, '{"keep-days": 365}')
    const found = await plan()
    expect(fates(found)).toEqual({ 'a_stream.jsonl': 'keep hold' })
    expect(found.problems).toEqual([
      expect.stringMatching(/registry\/retention\.json is no longer read.*--keep-days/),
    ])
    const ignoring = await plan({}, { ignoreHold: true })
    expect(fates(ignoring)).toEqual({ 'a_stream.jsonl': 'remove keep-days' })
    expect(ignoring.notes.join()).toContain(file)
    fs.rmSync(file)
    expect(await plan()).toMatchObject({ files: [{ rule: 'keep-days' }], notes: [], problems: [] })
  })
})

test('a workspace counts once under all its names, and another path is refused', async () => {
  archive.put('a_stream.jsonl', 99)
  const link = path.join(archive.folder, 'link')
  fs.symlinkSync(archive.workspace, link)
  const found = await planRetention([archive.workspace, `${archive.workspace}/`, link], parsePolicy())
  expect(found.files).toHaveLength(1)
  await expect(planRetention([`${link}x`], parsePolicy())).rejects.toMatchObject({ code: 'no-workspace' })
  await expect(planRetention(['/dev/shm'], parsePolicy())).rejects.toMatchObject({ code: 'bad-argument' })
})

test('a plan writes nothing', async () => {
  archive.put('a_stream.jsonl', 99)
  const list = () => fs.readdirSync(archive.workspace, { recursive: true }).sort()
  const before = list()
  const mtime = fs.statSync(archive.at('', 'archive')).mtimeMs
  expect(planned(await plan({ minFree: '99%' }), 'a_stream.jsonl').action).toBe('remove')
  expect(list()).toEqual(before)
  expect(fs.statSync(archive.at('', 'archive')).mtimeMs).toBe(mtime)
})
