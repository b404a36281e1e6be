import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { dir as temporaryFolder } from 'tmp-promise'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { cleanUp, measure, sweep } from '../../index.ts'
import { addAgent, addTask, initRegistries, layout } from '../../orchestrator.ts'
import { isRunning } from '../support/rig.ts'
import { commandWords, RunningCommand, runCommand } from '../support/run-command.ts'
import { until } from '../support/until.ts'

/** A number that no user of this machine has. */
const OWNER = 54_321
const OTHER = 54_322
const ended = { status: 'completed', started_at: '2026-01-01T00:00:00Z' }

const isRoot = process.geteuid?.() === 0

let folder: string
let workspace: string
let remove: () => Promise<void>

beforeEach(async () => {
  const made = await temporaryFolder({ prefix: 'lr-', unsafeCleanup: true })
  folder = fs.realpathSync(made.path)
  remove = made.cleanup
  fs.chmodSync(folder, 0o755)
  workspace = path.join(folder, '.agent-workspace')
  await initRegistries(workspace)
  await addTask(workspace, { task_id: 'TASK-1' })
})
afterEach(() => remove())

const ref = (agentId = 'a') => ({ workspace, taskId: 'TASK-1', agentId })

/** An agent that has ended, with its files, and everything of the workspace its owner's. */
async function leaveBehind(owner = OWNER): Promise<void> {
  await addAgent(ref(), ended)
  for (const file of [layout.promptFile(ref()), layout.streamLog(ref())])
    fs.writeFileSync(file, 'of an agent\n')
  giveTo(owner)
}

function giveTo(owner: number): void {
  fs.lchownSync(workspace, owner, owner)
  for (const name of fs.readdirSync(workspace, { recursive: true, encoding: 'utf8' }))
    fs.lchownSync(path.join(workspace, name), owner, owner)
}

const notTheirs = () =>
  fs
    .readdirSync(workspace, { recursive: true, encoding: 'utf8' })
    .filter(name => fs.lstatSync(path.join(workspace, name)).uid !== OWNER)

describe('as root, in a workspace of somebody else', () => {
  needs('root rights', isRoot)

  test('a sweep works as its owner, and everything stays the owner’s', async () => {
    await leaveBehind()
    expect(await runCommand('sweep', '--apply', workspace)).toMatchObject({ code: 0, err: '' })
    expect(fs.existsSync(layout.promptFile(ref()))).toBe(false)
    expect(fs.existsSync(layout.archived(ref(), layout.streamLog(ref())))).toBe(true)
    expect(notTheirs()).toEqual([])
  })

  test('status, explain, retention and a daemon do, too', async () => {
    await leaveBehind()
    for (const words of [['status'], ['retention', '--keep-days', '0', '--apply']])
      expect(await runCommand(...words, workspace)).toMatchObject({ code: 0, err: '' })
    expect(await runCommand('explain', 'a', '--workspace', workspace)).toMatchObject({ code: 0, err: '' })
    const daemon = new RunningCommand(commandWords('daemon', workspace))
    try {
      await until('the daemon has cleaned up', () => daemon.out.includes('"cleaned"'))
      expect(uidOf(daemon.child.pid)).toEqual([OWNER, OWNER, OWNER, OWNER])
      expect(groupsOf(daemon.child.pid)).toEqual([OWNER])
    } finally {
      daemon.child.kill('SIGTERM')
    }
    expect(await daemon.end()).toMatchObject({ code: 0, err: '' })
    expect(notTheirs()).toEqual([])
  })

  test('the library refuses it, and says what to do', async () => {
    await leaveBehind()
    const refusal = { code: 'not-the-owner', message: expect.stringMatching(/run this as user 54321/) }
    await expect(cleanUp(ref(), { status: 'completed', reason: 'test' })).rejects.toMatchObject(refusal)
    const found = await sweep(workspace, { apply: true, graceMs: 100, minAgeMs: 0 })
    expect(found.problems.join()).toMatch(/run this as user 54321/)
    expect((await measure([workspace])).problems.join()).toMatch(/run this as user 54321/)
    expect(fs.existsSync(layout.promptFile(ref()))).toBe(true)
    expect(notTheirs()).toEqual([])
  })

  test('workspaces of two users are refused in one sentence', async () => {
    await leaveBehind()
    const second = path.join(folder, 'second', '.agent-workspace')
    fs.mkdirSync(second, { recursive: true })
    fs.chownSync(second, OTHER, OTHER)
    const { code, err } = await runCommand('sweep', '--apply', workspace, second)
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/^leakrig: The workspaces belong to several users .*\n$/),
    ])
    expect(fs.existsSync(layout.promptFile(ref()))).toBe(true)
  })

  /** Folders of a workspace in whose place its owner puts a link to one of root's. */
  const folders = ['archive', 'logs', 'progress', 'findings']
  test.each([...folders.map(name => path.join('TASK-1', name)), 'registry', 'TASK-1'])(
    '%s as a link to a folder of root’s leads nothing in or out',
    async name => {
      await leaveBehind()
      const target = path.join(folder, 'of-root')
      fs.mkdirSync(target, { mode: 0o755 })
      for (const file of ['a_stream.jsonl', 'health.json', 'daemon.lock', 'AGENT_REGISTRY.json'])
        fs.writeFileSync(path.join(target, file), 'root’s own')
      const before = listing(target)
      fs.rmSync(path.join(workspace, name), { recursive: true })
      fs.symlinkSync(target, path.join(workspace, name))
      fs.lchownSync(path.join(workspace, name), OWNER, OWNER)
      await runCommand('sweep', '--apply', '--orphans', workspace)
      await runCommand('retention', '--keep-days', '0', '--apply', workspace)
      await daemonFor(() => true)
      expect(listing(target)).toEqual(before)
    },
  )

  test('a process of root’s that a registry names is not ended', async () => {
    const sleeper = spawn('sleep', ['1000'], { stdio: 'ignore' })
    try {
      await until('it runs', () => isRunning(sleeper.pid ?? 0))
      const tmux = {
        ...{ socket: path.join(folder, 'tmux-54321', 'default'), server_pid: 2 ** 22 - 1, server_start: 1 },
        ...{
          session_id: '$0',
          session_created: 1,
          pane_id: '%0',
          pane_pid: sleeper.pid,
          pane_start: startOf(sleeper.pid),
        },
      }
      await addAgent(ref(), { ...ended, tmux } as never)
      giveTo(OWNER)
      await runCommand('sweep', '--apply', workspace)
      await daemonFor(() => true)
      expect(isRunning(sleeper.pid ?? 0)).toBe(true)
    } finally {
      sleeper.kill('SIGKILL')
    }
  })

  test('what is root’s in the environment is not used: home, caches, panes', async () => {
    await leaveBehind()
    const home = path.join(folder, 'root-home')
    fs.mkdirSync(path.join(home, '.cache'), { recursive: true, mode: 0o700 })
    const before = listing(home)
    const environment = {
      HOME: home,
      XDG_CACHE_HOME: path.join(home, '.cache'),
      TMUX: '/tmp/x,1,0',
      TMUX_PANE: '%0',
      // An agent may read the environment of its user's processes, and tmux hands a client's to its server.
      TOKEN_OF_ROOT: `secret ${home}`,
      NODE_OPTIONS: `--title=${home}`,
    }
    const daemon = new RunningCommand(commandWords('daemon', workspace), environment)
    try {
      await until('the daemon has cleaned up', () => daemon.out.includes('"cleaned"'))
      const own = fs.readFileSync(`/proc/${daemon.child.pid}/environ`, 'utf8').split('\0')
      expect(own.filter(line => line.includes(home))).toEqual([])
    } finally {
      daemon.child.kill('SIGTERM')
    }
    await daemon.end()
    expect(listing(home)).toEqual(before)
  })

  /** Runs a daemon until it has started, and stops it. */
  async function daemonFor(isEnough: () => boolean): Promise<void> {
    const daemon = new RunningCommand(commandWords('daemon', workspace))
    const ended = daemon.end()
    await until('it began or refused', () => daemon.out.includes('"started"') || daemon.err !== '')
    await until('it has looked', isEnough)
    daemon.child.kill('SIGTERM')
    await ended
  }
})

const startOf = (pid = 0) =>
  Number(fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19])

const numbers = (pid: number | undefined, field: string): number[] =>
  (new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '')
    .split(/\s+/)
    .filter(Boolean)
    .map(Number)

const uidOf = (pid: number | undefined) => numbers(pid, 'Uid')
const groupsOf = (pid: number | undefined) => numbers(pid, 'Groups')

test('root in a workspace of its own takes no compiled code from a home of somebody else', async () => {
  needs('root rights', isRoot)
  const home = path.join(folder, 'home')
  fs.mkdirSync(path.join(home, '.cache'), { recursive: true })
  for (const one of [home, path.join(home, '.cache')]) fs.chownSync(one, OTHER, OTHER)
  // A sudo that keeps HOME.
  // From the sources, which keep compiled code there.
  const program = path.join(import.meta.dirname, '../../bin/daemon.ts')
  const daemon = new RunningCommand([process.execPath, program, workspace], {
    HOME: home,
    NODE_COMPILE_CACHE: '',
  })
  try {
    await until('it has started', () => daemon.out.includes('"started"'))
    expect(fs.readFileSync(`/proc/${daemon.child.pid}/environ`, 'utf8')).not.toContain(
      `NODE_COMPILE_CACHE=${home}`,
    )
  } finally {
    daemon.child.kill('SIGTERM')
  }
  await daemon.end()
  expect(listing(path.join(home, '.cache'))).toEqual([])
})

/** Everything in a folder, with inode, size, time and content. */
function listing(root: string): string[] {
  return fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).map(name => {
    const file = path.join(root, name)
    const { ino, size, mtimeMs, uid } = fs.lstatSync(file)
    const content = fs.lstatSync(file).isFile() ? fs.readFileSync(file, 'utf8') : ''
    return [name, ino, size, mtimeMs, uid, content].join(' ')
  })
}

// An ordinary user cannot become another one: the same commands work in the workspaces of their own.
test('an ordinary user stays who they are', async () => {
  needs('ordinary user who runs the tests', !isRoot)
  await leaveBehind(process.geteuid?.())
  expect(await runCommand('sweep', '--apply', workspace)).toMatchObject({ code: 0, err: '' })
  expect(spawnSync('id', ['-u'], { encoding: 'utf8' }).stdout.trim()).toBe(String(process.geteuid?.()))
})
