import {
  closeSync,
  constants,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { orchestratorArgs, outerEnvironment } from '../support/orchestrator.ts'
import { Workspace } from '../support/workspace.ts'

const isRoot = process.getuid?.() === 0
const ids = { task_id: 'T1', agent_id: 'worker' }
const tasks = { T1: { worker: 'orchestrator' } }
const progress = { ...ids, status: 'busy', message: 'x' }
const finding = { ...ids, finding_type: 'x', severity: 'low', message: 'x' }

/** What replaces a file, or its folder. */
type Plant = (file: string, victim: string) => void | Promise<void> | (() => void)

const plants: Record<string, Plant> = {
  'a link': (file, victim) => symlinkSync(victim, file),
  'a link that leads nowhere': (file, victim) => symlinkSync(`${victim}-not-there`, file),
  'a hard link': (file, victim) => linkSync(victim, file),
  'a FIFO': async file => void (await execa('mkfifo', [file])),
  'a folder that is a link': (file, victim) => {
    rmSync(dirname(file), { recursive: true, force: true })
    symlinkSync(dirname(victim), dirname(file))
  },
  'a device': async file => void (await execa('mknod', [file, 'c', '1', '3'])),
}

const places: [string, string, string, Record<string, unknown>][] = [
  ['progress', 'progress/worker_progress.jsonl', 'update_agent_progress', progress],
  ['findings', 'findings/worker_findings.jsonl', 'report_agent_finding', finding],
  ['the log', 'logs/worker_stream.jsonl', 'get_agent_output', ids],
  ['the archived log', 'archive/worker_stream.jsonl', 'get_agent_output', ids],
]

const strategies = ['none', 'immediate']

describe.for(strategies)('with the strategy %s', strategy => {
  for (const [n, [what, plant]] of Object.entries(plants).entries())
    for (const [m, [place, name, tool, args]] of places.entries()) {
      // Each kind with both strategies in one place, which changes from kind to kind.
      const isChosen = m === (n + 2 * strategies.indexOf(strategy)) % places.length
      test(`${what} as ${place} is refused`, { tags: isChosen ? [] : ['long'] }, async () => {
        if (what === 'a device') needs('root rights', isRoot)
        await using workspace = new Workspace(tasks)
        const file = join(workspace.path, 'T1', name)
        const victim = join(workspace.folder, 'private', file.slice(dirname(file).length + 1))
        mkdirSync(dirname(victim))
        writeFileSync(victim, 'a secret\n')
        rmSync(join(workspace.path, 'T1/logs/worker_stream.jsonl'))
        await plant(file, victim)
        const instance = await workspace.instance(strategy)
        const { error } = await instance.call(tool, args)
        expect(error).toMatch(
          /^[^\n]*T1[^\n]* is refused: expected [^\n]+\.$|^[^\n]+ is refused: it has 2 names [^\n]+\.$/,
        )
        expect(error).not.toContain('secret')
        expect(readdirSync(dirname(victim))).toHaveLength(1)
        expect(readFileSync(victim, 'utf8')).toBe('a secret\n')
        // The instance still answers.
        expect((await instance.call('get_real_task_status', { task_id: 'T1' })).error).toBe('')
      })
    }

  test('a FIFO with a reader is refused too', async () => {
    await using workspace = new Workspace(tasks)
    const file = join(workspace.path, 'T1/progress/worker_progress.jsonl')
    await execa('mkfifo', [file])
    const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const instance = await workspace.instance(strategy)
    const { error } = await instance.call('update_agent_progress', progress)
    closeSync(reader)
    expect(error).toMatch(/ is refused: expected a regular file, found a FIFO\. /)
  })
})

test('missing files and folders are made', async () => {
  await using workspace = new Workspace(tasks)
  for (const name of ['progress', 'findings']) rmSync(join(workspace.path, 'T1', name), { recursive: true })
  const instance = await workspace.instance('immediate')
  for (const percent of [1, 2]) {
    expect((await instance.call('update_agent_progress', { ...progress, progress: percent })).error).toBe('')
    expect((await instance.call('report_agent_finding', finding)).error).toBe('')
  }
  expect(workspace.read('T1/progress/worker_progress.jsonl').split('\n')).toHaveLength(3)
  expect(workspace.read('T1/findings/worker_findings.jsonl').split('\n')).toHaveLength(3)
})

test('only the end of a log of 100 MB is read', async () => {
  await using workspace = new Workspace(tasks)
  const log = join(workspace.path, 'T1/logs/worker_stream.jsonl')
  truncateSync(log, 100 << 20)
  writeFileSync(log, '\nthe last but one\nthe last\n', { flag: 'a' })
  const instance = await workspace.instance('none')
  await instance.call('get_real_task_status', { task_id: 'T1' })
  const before = instance.peakRss()
  const { said } = await instance.call('get_agent_output', { ...ids, lines: 2 })
  expect(said).toMatchObject({ output: ['the last but one', 'the last'] })
  expect(said).not.toHaveProperty('output_cut')
  expect((await instance.call('get_agent_output', { ...ids, lines: 3 })).said).toMatchObject({
    output: ['the last but one', 'the last'],
    output_cut: expect.stringMatching(
      /^Only the last 1048576 bytes of the log were read, with 2 whole lines; read /,
    ),
  })
  expect(instance.peakRss() - before).toBeLessThan(32 << 20)
})

test('a log of one endless line gives no lines, and the answer says why', async () => {
  await using workspace = new Workspace(tasks)
  truncateSync(join(workspace.path, 'T1/logs/worker_stream.jsonl'), 100 << 20)
  const instance = await workspace.instance('none')
  const { said } = await instance.call('get_agent_output', ids)
  expect(said).toMatchObject({ output: [], output_cut: expect.stringMatching(/with 0 whole lines/) })
})

const daemonLogs: Record<string, (log: string, victim: string) => void | Promise<void>> = {
  'a link': (log, victim) => symlinkSync(victim, log),
  'a hard link': (log, victim) => linkSync(victim, log),
  'a FIFO': async log => void (await execa('mkfifo', [log])),
}

for (const [what, plant] of Object.entries(daemonLogs))
  test(`no daemon writes to a log that is ${what}`, async () => {
    await using workspace = new Workspace(tasks)
    const victim = join(workspace.folder, 'victim')
    writeFileSync(victim, 'mine\n')
    await plant(join(workspace.path, 'registry/daemon.log'), victim)
    const { exitCode, stderr } = await execa(process.execPath, orchestratorArgs('hybrid'), {
      env: { ...outerEnvironment(), ...workspace.env },
      extendEnv: false,
      reject: false,
      timeout: 20_000,
      killSignal: 'SIGKILL',
      input: '',
    })
    expect(stderr).toMatch(/registry\/daemon\.log is refused: /)
    // The orchestrator serves without it.
    expect(exitCode).toBe(0)
    expect(readFileSync(victim, 'utf8')).toBe('mine\n')
  })
