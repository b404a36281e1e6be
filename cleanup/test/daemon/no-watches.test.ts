import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { type AgentRef, recordIntent } from '../../index.ts'
import { readHealth } from '../../metrics/health.ts'
import { layout } from '../../orchestrator.ts'
import { Daemon } from '../support/daemon.ts'
import { Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'
/** What a user namespace may have, which leaves the other processes of this user their own. */
const canLimit =
  spawnSync('unshare', ['-r', 'bash', '-c', 'echo 0 >/proc/sys/user/max_inotify_instances']).status === 0

let rig: Rig
let daemon: Daemon
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(async () => {
  await daemon.stop()
  await rig[Symbol.asyncDispose]()
})

/** A daemon that may have so many of `what`. */
async function startWith(what: 'instances' | 'watches', most: number): Promise<void> {
  const limit = `echo ${most} >/proc/sys/user/max_inotify_${what}; exec "$@"`
  daemon = await Daemon.startBehind(rig, ['unshare', '-r', 'bash', '-c', limit, 'bash'])
}

const inNamespace = (...words: string[]) =>
  spawnSync('nsenter', ['-U', '--preserve-credentials', '-t', String(daemon.child.pid), ...words])

/** A tmux server in the daemon's user namespace: from within, no environment outside can be read. */
function startServer(): string {
  const socket = path.join(rig.folder, 'inside')
  inNamespace('tmux', '-S', socket, '-f', '/dev/null', 'new-session', '-d', '-s', 'user', 'sleep 1000')
  return socket
}

const problems = () =>
  daemon.events('problem').filter(({ problem }) => String(problem).includes('cannot be watched'))
const cleaned = (ref: AgentRef) => until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
const isDegraded = () => readHealth(rig.workspace)?.state === 'degraded'

describe.each([
  ['instance', 'instances', 0, 'max_user_instances'],
  ['watch', 'watches', 1, 'max_user_watches'],
] as const)('no inotify %s is left', (_, what, most, setting) => {
  needs('user namespaces with limits of their own', canLimit)

  test('ends are found by short polls, and it is reported once until it is over', async () => {
    await startWith(what, most)
    await until('the daemon reports it', () => problems().length > 0)
    expect(problems()[0]?.problem).toContain(setting)
    await until('its health shows it', isDegraded)
    const socket = startServer()
    const a = await rig.deploy('a', { claude: idle, socket })
    const b = await rig.deploy('b', { claude: 'trap "" HUP; echo ready; sleep 1000 & wait', socket })
    await recordIntent(a, { status: 'completed', reason: 'it said so' })
    await cleaned(a)
    spawnSync('tmux', ['-S', socket, 'kill-session', '-t', '=agent_b:'])
    await cleaned(b)
    const count = problems().length
    expect(count).toBeLessThanOrEqual(2)
    expect(daemon.events('problem-resolved')).toEqual([])
    const raise = `echo 8192 >/proc/sys/user/max_inotify_${what}`
    spawnSync('nsenter', [
      '-U',
      '--preserve-credentials',
      '-t',
      String(daemon.child.pid),
      'bash',
      '-c',
      raise,
    ])
    await until('the problem is over', () => daemon.events('problem-resolved').length === count)
    await until('its health shows it', () => !isDegraded())
    expect(problems()).toHaveLength(count)
  })
})

test.each([
  ['a task’s folder', (workspace: string) => path.join(workspace, 'TASK-1')],
  ['the workspace', (workspace: string) => workspace],
])('%s is moved away, and another one takes its place', async (_, folderOf) => {
  daemon = await Daemon.start(rig)
  const ref = await rig.deploy('a', { claude: idle })
  const folder = folderOf(rig.workspace)
  fs.cpSync(folder, `${folder}.new`, { recursive: true, preserveTimestamps: true })
  fs.rmSync(path.join(`${folder}.new`, 'registry/daemon.lock'), { force: true })
  fs.renameSync(folder, `${folder}.old`)
  fs.renameSync(`${folder}.new`, folder)
  await until('the daemon goes on', () => readHealth(rig.workspace) !== undefined || folder !== rig.workspace)
  await recordIntent(ref, { status: 'completed', reason: 'it said so' })
  await cleaned(ref)
  fs.rmSync(`${folder}.old`, { recursive: true })
  expect(fs.existsSync(layout.promptFile(ref))).toBe(false)
})
