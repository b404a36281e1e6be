import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AgentRef, recordIntent } from '../../index.ts'
import { layout } from '../../orchestrator.ts'
import { Daemon, runDaemonProgram } from '../support/daemon.ts'
import { isRunning, kill, NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const cleaned = (ref: AgentRef) => until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')

test('a second daemon names the first one, and exits', async () => {
  const daemon = await Daemon.start(rig)
  const { code, stderr } = await runDaemonProgram([rig.workspace])
  expect(code).toBe(3)
  expect(stderr).toContain(`process ${daemon.child.pid} holds`)
  expect(stderr.split('\n')).toHaveLength(1)
  expect(await daemon.stop()).toBe(0)
})

test('stops without waiting for the cleanup under way, leaves no lock, and the next daemon continues', async () => {
  const daemon = await Daemon.start(rig, '--grace', '1m')
  const ref = await rig.deploy('a', { claude: 'trap "" TERM HUP; echo ready; while :; do sleep 1; done' })
  await recordIntent(ref, { status: 'completed', reason: 'x' })
  await until('it is at work', () => daemon.events('signal').length > 0)
  const stoppedAt = performance.now()
  expect(await daemon.stop()).toBe(0)
  expect(performance.now() - stoppedAt).toBeLessThan(20_000)
  expect(rig.entry(ref).cleanup?.state).toBe('pending')
  expect(fs.existsSync(layout.daemonLock(rig.workspace))).toBe(false)
  const next = await Daemon.start(rig)
  await cleaned(ref)
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  await next.stop()
})

test('stopped with Ctrl-C, it blames no agent for the tmux clients that end with it', async () => {
  const daemon = await Daemon.start(rig)
  const ref = await rig.deploy('a', { claude: idle, socket: `${rig.folder}/hung` })
  const server = rig.entry(ref).tmux?.server_pid ?? 0
  await daemon.stopServer(server, '/hung')
  kill(rig.entry(ref).tmux?.pane_pid ?? 0)
  const asking = await until('it asks', () => {
    const clients = daemon.clients()
    return clients.length > 0 && clients
  })
  // As Ctrl-C does: it signals every process in the foreground.
  daemon.child.kill('SIGINT')
  for (const pid of asking) kill(pid, 'SIGINT')
  expect(await daemon.exit()).toBe(0)
  process.kill(server, 'SIGCONT')
  expect(daemon.events('cleanup-failed')).toEqual([])
  expect(rig.entry(ref).status).toBe('running')
})

test('reports that it is healthy as long as it runs', async () => {
  const daemon = await Daemon.start(rig)
  const file = `${rig.workspace}/registry/health.json`
  const health = await until(
    'it says so',
    () => fs.existsSync(file) && JSON.parse(fs.readFileSync(file, 'utf8')),
  )
  expect(health).toMatchObject({ pid: daemon.child.pid, state: 'ok', reasons: [], pending: 0 })
  expect(await daemon.stop()).toBe(0)
  expect(fs.readdirSync(`${rig.workspace}/registry`).sort()).toEqual([
    'GLOBAL_REGISTRY.json',
    'GLOBAL_REGISTRY.json.lock',
  ])
})

test('a killed daemon leaves a lock file that stops no other daemon', async () => {
  await (await Daemon.start(rig)).stop('SIGKILL')
  expect(fs.existsSync(layout.daemonLock(rig.workspace))).toBe(true)
  const next = await Daemon.start(rig)
  await next.stop()
})

test.each(['start', 'startWithoutFileEvents'] as const)(
  'ends with its owner, but not before the last agent (%s)',
  async how => {
    const owner = rig.start('sleep', ['1000'])
    const first = await rig.deploy('first', { claude: idle })
    const daemon = await Daemon[how](rig, '--owner-pid', String(owner))
    rig.tmux('kill-session', '-t', '=agent_first:')
    await cleaned(first)
    const ref = await rig.deploy('a', { claude: idle })
    kill(owner)
    await until('the owner is gone', () => !isRunning(owner))
    rig.tmux('kill-session', '-t', '=agent_a:')
    expect(await daemon.exit()).toBe(0)
    expect(rig.entry(ref).cleanup?.state).toBe('done')
  },
)

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'the second one of two with owners takes the place of the first, after %s',
  async signal => {
    const first = await Daemon.start(rig)
    const owner = rig.start('sleep', ['1000'])
    const second = await Daemon.standBy(rig, '--owner-pid', String(owner))
    const ref = await rig.deploy('a', { claude: idle })
    await first.stop(signal)
    rig.tmux('kill-session', '-t', '=agent_a:')
    await cleaned(ref)
    expect(second.events('started')).toHaveLength(1)
    kill(owner)
    expect(await second.exit()).toBe(0)
  },
)

test('a daemon on standby exits with its owner, and when it is stopped', async () => {
  const first = await Daemon.start(rig)
  const owner = rig.start('sleep', ['1000'])
  const second = await Daemon.standBy(rig, '--owner-pid', String(owner))
  expect(await second.stop()).toBe(0)
  const third = await Daemon.standBy(rig, '--owner-pid', String(owner))
  kill(owner)
  expect(await third.exit()).toBe(0)
  expect(third.events('started')).toEqual([])
  expect(await first.stop()).toBe(0)
})

test('does not leak descriptors', async () => {
  const daemon = await Daemon.start(rig)
  const count = () => fs.readdirSync(`/proc/${daemon.child.pid}/fd`).length
  const endOne = async (id: string) => {
    const ref = await rig.deploy(id, { claude: idle })
    await recordIntent(ref, { status: 'completed', reason: 'x' })
    await cleaned(ref)
  }
  await endOne('first')
  const before = count()
  for (let n = 0; n < 8; n++) await endOne(`n${n}`)
  await until('it has as many as before', () => count() <= before)
  await daemon.stop()
})

describe('wrong arguments', () => {
  test.each([
    [['/nowhere/at/all'], '"/nowhere/at/all" does not exist'],
    [['PROJECT'], '/project is not an orchestrator’s workspace: expected '],
    [['WORKSPACE', '--grace', '3'], '--grace "3" is refused: expected a duration with its unit'],
    [['WORKSPACE', '--grace', '25d'], 'expected at most 24d.'],
    [['WORKSPACE', '--owner-pid', 'x'], '--owner-pid "x" is refused: expected a process id'],
    [['WORKSPACE', '--owner-pid', '0'], '--owner-pid "0" is refused: expected a process id, from 1.'],
    [['--what'], "unknown option '--what'"],
    [
      ['--metrics-file', '--end-idle'],
      "option '--metrics-file <file>' needs a file name, not another option",
    ],
    [['WORKSPACE', '--keep-days', 'soon'], '--keep-days "soon" is refused'],
    [['WORKSPACE', '--min-free', '200%'], '--min-free "200%" is refused'],
    [['WORKSPACE', '--metrics-port', '99999'], '--metrics-port "99999" is refused: expected a port'],
    [['WORKSPACE', '--metrics-file', '/tmp/leakrig.txt'], 'ends with .prom'],
    [['WORKSPACE', 'EMPTY', '--owner-pid', '1'], 'watches one workspace, not 2'],
  ])('%j', async (args, sentence) => {
    const empty = path.join(rig.folder, 'empty')
    const project = path.join(rig.folder, 'project')
    fs.mkdirSync(empty)
    fs.mkdirSync(path.join(project, 'src'), { recursive: true })
    const folders: Record<string, string> = { WORKSPACE: rig.workspace, EMPTY: empty, PROJECT: project }
    const { code, stderr } = await runDaemonProgram(args.map(word => folders[word] ?? word))
    expect(code).toBe(2)
    expect(stderr).toContain(sentence)
    expect(stderr.split('\n')).toHaveLength(1)
  })
})
