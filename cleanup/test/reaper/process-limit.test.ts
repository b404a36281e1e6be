import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { dir as temporaryFolder } from 'tmp-promise'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { guard } from '../../../test/guard.ts'
import { needs } from '../../../test/needs.ts'
import {
  addAgent,
  addTask,
  agentMarker,
  initRegistries,
  layout,
  RECORD_FORMAT,
  type RecordedTmux,
  recordOf,
} from '../../orchestrator.ts'
import { isRunning, kill, Rig, readText } from '../support/rig.ts'
import { commandWords, RunningCommand } from '../support/run-command.ts'
import { until } from '../support/until.ts'

/** A number that no user of this machine has, and how many processes and threads it may have. */
const USER = 54_330
const LIMIT = 40
/** How many threads Node starts before it runs our code. */
const NODE_THREADS = 7
const MARK = 'LEAKRIG_TEST'

/** Forks whenever it may, and says once that it may not. `inChild` is what its children do. */
const forks = (inChild: string, prepare = '') =>
  `perl -e '$| = 1; ${prepare} while (1) { my $pid = fork; if (defined $pid) { ${inChild} unless $pid; next } print "ready\n" unless $said++; select(undef, undef, undef, 0.001) }'`
const FILLS = forks('sleep 1000')
/** Its children fork as it does, and all ignore what asks them to end. */
const REFILLS = forks('$said = 1', '$SIG{TERM} = $SIG{HUP} = "IGNORE";')

const REACHED = /user 54330 has reached its limit of 4[07] processes and threads \(ulimit -u\)/

let folder: string
let workspace: string
let remove: () => Promise<void>
let dismiss: () => void

beforeEach(async () => {
  const made = await temporaryFolder({ prefix: 'lr-', unsafeCleanup: true })
  folder = fs.realpathSync(made.path)
  remove = made.cleanup
  dismiss = guard(MARK, folder).dismiss
  fs.chmodSync(folder, 0o755)
  workspace = path.join(folder, '.agent-workspace')
  await initRegistries(workspace)
  await addTask(workspace, { task_id: 'TASK-1' })
  fs.mkdirSync(path.dirname(socket()), { mode: 0o700 })
})
afterEach(async () => {
  await until('no process of the user is left', () => {
    const left = pidsOfUser()
    for (const pid of left) kill(pid)
    return left.length === 0
  })
  dismiss()
  await remove()
})

const ref = { taskId: 'TASK-1', agentId: 'a' }
const agent = () => ({ workspace, ...ref })
const socket = () => path.join(folder, `tmux-${USER}`, 'default')

function pidsOfUser(): number[] {
  const pids = fs.readdirSync('/proc').filter(name => /^\d+$/.test(name))
  const isTheirs = (pid: string) =>
    new RegExp(`^Uid:\\t${USER}\\b`, 'm').test(readText(`/proc/${pid}/status`))
  return pids.filter(isTheirs).map(Number)
}

const commsOfUser = () => pidsOfUser().map(pid => readText(`/proc/${pid}/comm`).trim())

/** The processes of the agent, without the user's own tmux session on the same server. */
const pidsOfAgent = () =>
  pidsOfUser().filter(pid =>
    readText(`/proc/${pid}/environ`).includes(`LEAKRIG_AGENT=${agentMarker(agent())}`),
  )

async function untilAgentIsGone(): Promise<void> {
  await until('nothing of the agent is left', () => pidsOfAgent().length === 0)
  expect(commsOfUser()).toEqual(expect.arrayContaining(['tmux: server', 'sleep']))
}

/**
 * As the user, with room for `more` processes and threads beyond the limit of the agents. `--norc`: where SHLVL is not set, a
 * bash whose input is a socket, such as Node's pipes, reads ~/.bashrc (bash(1), "run by the remote shell daemon").
 */
const asUser = (words: string[], more = 0): string[] => [
  'bash',
  '--norc',
  '-c',
  `ulimit -u "$0"; exec setpriv --reuid ${USER} --regid ${USER} --clear-groups -- "$@"`,
  String(LIMIT + more),
  ...words,
]

/** The path of a cgroup of this test's own that limits processes; undefined where the controller is not mounted by itself. */
const pidsCgroup = () =>
  fs.existsSync('/sys/fs/cgroup/pids/cgroup.procs')
    ? `/sys/fs/cgroup/pids/leakrig-test-${process.pid}`
    : undefined

function giveTo(owner: number): void {
  for (const name of ['.', ...fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })])
    fs.lchownSync(path.join(folder, name), owner, owner)
}

/** An agent that has used up its user's limit of processes, and whose end is recorded. */
async function deploy(claude: string, status = 'completed'): Promise<RecordedTmux> {
  for (const file of [layout.promptFile(agent()), layout.streamLog(agent())]) fs.writeFileSync(file, '')
  giveTo(USER)
  const pipeline = `${claude} | tee ${layout.streamLog(agent())}; :`
  const [command = '', ...args] = asUser([
    ...['tmux', '-S', socket(), '-f', '/dev/null', 'new-session', '-d', '-s', 'user', 'exec sleep 998', ';'],
    ...['new-session', '-d', '-P', '-F', RECORD_FORMAT],
    ...['-s', 'agent_a', '-e', `LEAKRIG_AGENT=${agentMarker(agent())}`, '--', 'bash', '-c', pipeline],
  ])
  const made = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, [MARK]: folder },
    cwd: '/',
  })
  await until(
    'the limit is reached',
    () => readText(layout.streamLog(agent())) === 'ready\n' && pidsOfUser().length === LIMIT,
  )
  giveTo(0)
  const tmux = recordOf(made.stdout)
  await addAgent(agent(), { status, started_at: new Date().toISOString(), tmux })
  giveTo(USER)
  return tmux
}

async function sweep(words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new RunningCommand(words, { TMUX_TMPDIR: folder, [MARK]: folder }, '/').end()
}
const sweepWords = (...options: string[]) => commandWords('sweep', '--apply', ...options, workspace)

/** Root, which no limit holds until it becomes the workspace's owner. */
const asRoot = (words: string[]): string[] => [
  'bash',
  '--norc',
  '-c',
  'ulimit -u "$0"; exec "$@"',
  String(LIMIT),
  ...words,
]

describe('an agent has used up its user’s limit of processes, so no tmux client starts', {
  tags: ['long'],
}, () => {
  needs('root rights', process.geteuid?.() === 0)

  test.each([
    ['root, as the owner', () => asRoot(sweepWords())],
    ['the owner', () => asUser(sweepWords(), NODE_THREADS)],
  ])('a sweep by %s ends it all the same', async (_, words) => {
    await deploy(FILLS)
    const { code, out, err } = await sweep(words())
    expect(err).toBe('')
    expect(out).toMatch(REACHED)
    await untilAgentIsGone()
    expect(readText(layout.archived(agent(), layout.streamLog(agent())))).toBe('ready\n')
    expect(fs.existsSync(layout.promptFile(agent()))).toBe(false)
    expect(code).toBe(3)
  })

  test('one that forks whenever it may again ends too', async () => {
    await deploy(REFILLS)
    const { out } = await sweep(asRoot(sweepWords('--grace', '200ms')))
    expect(out).toMatch(REACHED)
    await untilAgentIsGone()
  })

  test('one that crashed, and whose leftovers use up the limit', async () => {
    const { pane_pid } = await deploy(REFILLS, 'running')
    kill(pane_pid)
    await until('the pipeline has ended', () => !isRunning(pane_pid) && !commsOfUser().includes('tee'))
    const { out } = await sweep(asRoot(sweepWords('--grace', '200ms')))
    expect(out).toMatch(/its pane's process \d+ ended/)
    await untilAgentIsGone()
  })

  test('a daemon that root starts becomes the owner, and ends it', async () => {
    await deploy(FILLS)
    const daemon = new RunningCommand(
      asRoot(commandWords('daemon', '--grace', '1s', workspace)),
      { TMUX_TMPDIR: folder, [MARK]: folder },
      '/',
    )
    try {
      await until('it has cleaned up', () => daemon.out.includes('"outcome":"clean"'))
      await untilAgentIsGone()
    } finally {
      daemon.child.kill()
    }
    expect(await daemon.end()).toMatchObject({ code: 0, err: '' })
  })

  test('the limit of a cgroup is named as such', async () => {
    const cgroup = pidsCgroup()
    if (cgroup === undefined) return
    await deploy(FILLS)
    const words = ['bash', '-c', `echo $$ >${cgroup}/cgroup.procs; exec "$@"`, 'bash', ...sweepWords()]
    fs.mkdirSync(cgroup)
    try {
      fs.writeFileSync(path.join(cgroup, 'pids.max'), String(NODE_THREADS))
      const { code, out } = await sweep(words)
      expect(out).toContain(
        `the cgroup ${cgroup} has reached its limit of ${NODE_THREADS} processes and threads (pids.max)`,
      )
      expect(code).toBe(3)
      await untilAgentIsGone()
    } finally {
      fs.rmdirSync(cgroup)
    }
  })

  test('an agent that lives is not taken for ended, and the limit is named', async () => {
    await deploy(FILLS, 'running')
    const before = pidsOfUser()
    const { code, out } = await sweep(asRoot(sweepWords()))
    expect(code).toBe(3)
    expect(out).toMatch(REACHED)
    expect(pidsOfUser()).toEqual(before)
  })
})

test.each([20, 21, 22, 23, 24, 26, 28])(
  'with only %d open files an agent is never taken for ended',
  async most => {
    await using rig = await Rig.start()
    const ref = await rig.deploy('a', { claude: 'echo ready; sleep 1000 & wait' })
    await rig.waitUntilRunning(ref)
    const before = rig.processesOf(ref)
    const limited = [
      'bash',
      '-c',
      `ulimit -n ${most}; exec "$@"`,
      'bash',
      ...commandWords('sweep', '--apply', rig.workspace),
    ]
    const { code, out } = await new RunningCommand(limited).end()
    expect(code).not.toBe(0)
    expect(out).not.toMatch(/becomes/)
    expect(rig.processesOf(ref)).toEqual(before)
    expect(rig.entry(ref)).toMatchObject({ status: 'running' })
  },
)
