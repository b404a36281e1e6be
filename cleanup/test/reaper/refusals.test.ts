import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cleanUp } from '../../index.ts'
import { addAgent, layout, updateAgent } from '../../orchestrator.ts'
import { NO_TRACES, Rig, traces } from '../support/rig.ts'

const completed = { status: 'completed', reason: 'it said so' }
const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

describe('ids that are no file or session name', () => {
  const ids = [
    '',
    '..',
    '../x',
    'a/b',
    '-rf',
    'a b',
    "a'b",
    'a\nb',
    'a:b',
    'a.b',
    '$3',
    '%7',
    '=x',
    'a*',
    '\0',
    'ä',
  ]
  test.each(ids)('%j', async id => {
    await expect(cleanUp(rig.ref(id), completed)).rejects.toMatchObject({
      code: 'bad-id',
      message: expect.stringMatching(/^The agent id .* is refused: expected .*; .*\.$/s),
    })
    await expect(addAgent(rig.ref(id), { status: 'running' })).rejects.toMatchObject({ code: 'bad-id' })
    await expect(cleanUp({ ...rig.ref('a'), taskId: id }, completed)).rejects.toMatchObject({
      code: 'bad-id',
    })
  })
})

test('an agent that no registry lists', async () => {
  await expect(cleanUp(rig.ref('nobody'), completed)).rejects.toMatchObject({ code: 'unknown-agent' })
})

describe('nothing is ended and nothing deleted', () => {
  test.each([
    ['cut in half', (text: string) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
    ['another thing', () => '{"agents": 3}'],
  ])('when the task’s registry is %s', async (_, spoil) => {
    const ref = await rig.deploy('a', { claude: idle })
    const file = layout.taskRegistry(ref.workspace, ref.taskId)
    fs.writeFileSync(file, spoil(fs.readFileSync(file, 'utf8')))
    await refuses(ref, 'registry-unreadable')
  })

  test.each<[string, (file: string) => void, RegExp]>([
    [
      'a link',
      file => {
        fs.renameSync(file, `${file}.real`)
        fs.symlinkSync(`${file}.real`, file)
      },
      /; replace the link by the file that it leads to, then try again\.$/,
    ],
    [
      'a folder',
      file => {
        fs.rmSync(file)
        fs.mkdirSync(file)
      },
      /; move it away and put the file in its place, then try again\.$/,
    ],
    ['gone', file => fs.rmSync(file), /; restore the file, then try again\.$/],
  ])('when the task’s registry is %s, and the advice fits that', async (_, spoil, advice) => {
    const ref = await rig.deploy('a', { claude: idle })
    spoil(layout.taskRegistry(ref.workspace, ref.taskId))
    await expect(cleanUp(ref, completed)).rejects.toThrow(advice)
    expect(rig.processesOf(ref)).not.toEqual([])
  })

  test('when the archive is a file, which is said in whole sentences', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    const archive = path.dirname(layout.archived(ref, layout.streamLog(ref)))
    fs.rmSync(archive, { recursive: true, force: true })
    fs.writeFileSync(archive, '')
    const { problems } = await cleanUp(ref, completed)
    expect(problems).toContainEqual(expect.stringMatching(/[^.]; put a folder in its place\.$/))
    expect(problems.filter(one => one.endsWith('..'))).toEqual([])
  })

  test('when the global registry is cut in half', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    fs.truncateSync(layout.globalRegistry(ref.workspace), 40)
    await refuses(ref, 'registry-unreadable')
  })

  test.each([
    ['hangs', 'exec sleep 1000'],
    ['fails', 'echo "some words of tomorrow" >&2; exit 1'],
    ['lies', 'echo; echo "what is this"'],
  ])('when tmux %s', async (_, script) => {
    const ref = await rig.deploy('a', { claude: idle })
    await withTmux(script, () => refuses(ref, 'tmux-unreachable'))
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  })

  test('when tmux fails, and nothing but a name was recorded', async () => {
    const ref = await rig.deploy('a', { claude: idle, recorded: false })
    await withTmux('echo "no server running" >&2; exit 1', () => refuses(ref, 'tmux-unreachable'))
  })

  test('when the server runs and is not behind its socket', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    fs.renameSync(rig.socket, `${rig.socket}.away`)
    await refuses(ref, 'tmux-unreachable')
    fs.renameSync(`${rig.socket}.away`, rig.socket)
  })

  test('when the archive is a link out of the workspace', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    const elsewhere = path.join(rig.folder, 'elsewhere')
    fs.mkdirSync(elsewhere)
    fs.rmdirSync(layout.archiveFolder(ref))
    fs.symlinkSync(elsewhere, layout.archiveFolder(ref))
    await refuses(ref, 'outside-workspace')
    expect(fs.readdirSync(elsewhere)).toEqual([])
  })

  test.each(['prompt_file', 'log_file', 'deploy_log'])('when %s leaves the workspace', async field => {
    const ref = await rig.deploy('a', { claude: idle })
    await updateAgent(ref, entry => {
      entry[field] = '.agent-workspace/../../etc/passwd'
    })
    await refuses(ref, 'outside-workspace')
  })

  test.each<[string, string, (workspace: string) => void]>([
    ['a file on the way', '.agent-workspace/notes/y/x', at => fs.writeFileSync(path.join(at, 'notes'), '')],
    ['a circle of links', '.agent-workspace/loop/x', at => fs.symlinkSync('loop', path.join(at, 'loop'))],
    ['a name that no file can have', `.agent-workspace/${'x'.repeat(300)}/x`, () => {}],
    ['a byte that no name has', '.agent-workspace/\0/x', () => {}],
  ])('when a recorded path leads nowhere, with %s', async (_, log_file, make) => {
    const ref = await rig.deploy('a', { claude: idle })
    make(ref.workspace)
    await updateAgent(ref, entry => Object.assign(entry, { log_file }))
    await refuses(ref, 'outside-workspace')
  })

  test('when no more files can be opened; when only tmux cannot be started, all that /proc confirms is ended', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    const script = `
      import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
      import { cleanUp, measure } from ${JSON.stringify(new URL('../../index.ts', import.meta.url).href)}
      const ref = ${JSON.stringify(ref)}
      const fds = []
      try { for (;;) fds.push(fs.openSync('/dev/null')) } catch {}
      const attempt = () => cleanUp(ref, ${JSON.stringify(completed)}).then(
        ({ outcome, problems }) => [outcome, ...problems].join(' '), error => error.message)
      const said = [await attempt()]
      // Enough for the registries and a scan of /proc, and not for the pipes of a client.
      for (const fd of fds.slice(0, 4)) fs.closeSync(fd)
      said.push(await attempt())
      for (const fd of fds.slice(4)) fs.closeSync(fd)
      console.log(JSON.stringify(said))`
    const words = ['-c', 'ulimit -n 64; exec "$0" --input-type=module -e "$1"', process.execPath, script]
    const [none, few] = JSON.parse(execFileSync('bash', words, { encoding: 'utf8' }))
    expect(none).toMatch(
      /^The registry .* could not be read: EMFILE: [^']*'\/[^']*\.agent-workspace[^']*'\. /,
    )
    expect(few).toMatch(
      /^unfinished tmux could not be asked whether .*: this process has reached its limit of open files of 64 \(ulimit -n\)\. /,
    )
    expect(rig.processesOf(ref)).toEqual([])
  })

  async function refuses(ref: ReturnType<Rig['ref']>, code: string): Promise<void> {
    await expect(cleanUp(ref, completed)).rejects.toMatchObject({ name: 'CleanupError', code })
    // On a loaded machine it takes a while until the last of them is there.
    await expect.poll(() => rig.processesOf(ref), { timeout: 5_000 }).toHaveLength(4)
    expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
    expect(fs.existsSync(layout.streamLog(ref))).toBe(true)
  }
})

test('a dead server counts as gone without a tmux to ask', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  rig.tmux('kill-server')
  await withTmux('exit 1', async () => {
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', session: 'was-gone' })
  })
})

test('a name that is taken in the archive is not overwritten', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  const taken = layout.archived(ref, layout.streamLog(ref))
  fs.writeFileSync(taken, 'of an earlier life')
  const { archived } = await cleanUp(ref, completed)
  expect(fs.readFileSync(taken, 'utf8')).toBe('of an earlier life')
  expect(archived.map(({ to }) => path.basename(to))).toContain('a_stream.1.jsonl')
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

/** Puts another program named tmux in front of the real one. */
async function withTmux(script: string, run: () => Promise<void>): Promise<void> {
  const folder = path.join(rig.folder, 'bin')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, 'tmux'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const before = process.env.PATH
  process.env.PATH = `${folder}:${before}`
  try {
    await run()
  } finally {
    process.env.PATH = before
  }
}
