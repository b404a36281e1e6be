import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addTask, initRegistries, layout } from '../../orchestrator.ts'
import { Daemon, runDaemonProgram } from '../support/daemon.ts'
import { Mounted } from '../support/mounted.ts'
import { NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'
/** The longest that a retry may take here: a look every three seconds, and a backoff that has doubled a few times. */
const AGAIN_MS = 40_000

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const isClean = (agentId: string) => () => rig.entry(rig.ref(agentId)).cleanup?.state === 'done'

test('a workspace that is removed is waited for, and watched again when it comes back', async () => {
  const daemon = await Daemon.start(rig)
  const lost = await rig.deploy('lost', { claude: idle })
  fs.rmSync(rig.workspace, { recursive: true })
  await until('it is said', () => daemon.events('workspace-lost').length > 0)
  expect(fs.existsSync(rig.workspace)).toBe(false)
  await initRegistries(rig.workspace)
  await addTask(rig.workspace, { task_id: 'TASK-1' })
  await until('it is back', () => daemon.events('workspace-restored').length > 0)
  expect((await runDaemonProgram([rig.workspace])).code).toBe(3)
  const ref = await rig.deploy('next', { claude: idle })
  rig.tmux('kill-session', '-t', '=agent_next:')
  await until('it is clean', isClean('next'))
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  // Nobody lists the first one any more, so nobody may end it.
  expect(rig.processesOf(lost).length).toBeGreaterThan(0)
  expect(daemon.events('workspace-lost')).toHaveLength(1)
  expect(await daemon.stop()).toBe(0)
})

test('a workspace that is removed and made anew at once is lost and back, and what is listed there is cleaned up', async () => {
  const daemon = await Daemon.start(rig)
  fs.rmSync(rig.workspace, { recursive: true })
  await initRegistries(rig.workspace)
  await addTask(rig.workspace, { task_id: 'TASK-1' })
  await until('it is back', () => daemon.events('workspace-restored').length > 0)
  expect(daemon.events('workspace-lost')).toHaveLength(1)
  const ref = await rig.deploy('next', { claude: idle })
  rig.tmux('kill-session', '-t', '=agent_next:')
  await until('it is clean', isClean('next'))
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(await daemon.stop()).toBe(0)
})

test('on a disk that is full it says so once, loses nothing, and goes on when there is space', async ({
  skip,
}) => {
  const mounted = Mounted.over(rig.workspace, '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs')
  if (typeof mounted === 'string') return skip(mounted)
  using _ = mounted
  await initRegistries(rig.workspace)
  await addTask(rig.workspace, { task_id: 'TASK-1' })
  const daemon = await Daemon.start(rig, '--metrics-port', '0')
  const ref = await rig.deploy('a', { claude: idle })
  const filler = path.join(rig.workspace, 'filler')
  fill(filler)
  rig.tmux('kill-session', '-t', '=agent_a:')
  await until('it is said', () => daemon.events('cleanup-failed').length > 0)
  await until('it was tried again', async () => (await failures(daemon)) > 2, AGAIN_MS)
  expect(daemon.events('ended')).toHaveLength(1)
  expect(daemon.events('intent')).toHaveLength(1)
  expect(daemon.events('cleanup-failed')).toHaveLength(1)
  expect(JSON.stringify(daemon.events('cleanup-failed'))).toMatch(/no space left/i)
  // The intent comes before everything: what could not be written was not begun.
  expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
  expect(rig.entry(ref).status).toBe('running')
  fs.rmSync(filler)
  await until('it is clean', isClean('a'), AGAIN_MS)
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(await daemon.stop()).toBe(0)
})

test('it starts on a full disk', async ({ skip }) => {
  const mounted = Mounted.over(rig.workspace, '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs')
  if (typeof mounted === 'string') return skip(mounted)
  using _ = mounted
  await initRegistries(rig.workspace)
  fill(path.join(rig.workspace, 'filler'))
  const daemon = await Daemon.start(rig)
  expect((await runDaemonProgram([rig.workspace])).code).toBe(3)
  expect(await daemon.stop()).toBe(0)
})

test('on a file system that becomes read-only it touches nothing, says so once, and goes on when it can', async ({
  skip,
}) => {
  const daemon = await Daemon.start(rig, '--metrics-port', '0')
  const ref = await rig.deploy('a', { claude: idle })
  {
    const mounted = Mounted.over(rig.workspace, '--bind', rig.workspace)
    if (typeof mounted === 'string') {
      await daemon.stop()
      return skip(mounted)
    }
    using _ = mounted
    mounted.remount('bind,ro')
    rig.tmux('kill-session', '-t', '=agent_a:')
    await until('it is said', () => daemon.events('cleanup-failed').length > 0)
    await until('it was tried again', async () => (await failures(daemon)) > 2, AGAIN_MS)
    expect(daemon.events('ended')).toHaveLength(1)
    expect(daemon.events('intent')).toHaveLength(1)
    expect(daemon.events('cleanup-failed')).toHaveLength(1)
    expect(JSON.stringify(daemon.events('cleanup-failed'))).toMatch(/read-only/i)
    expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
    const { code, said } = await runDaemonProgram([rig.workspace])
    expect(code).toBe(3)
    expect(said).toMatch(/could not be locked: .*read-only/i)
  }
  await until('it is clean', isClean('a'), AGAIN_MS)
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(await daemon.stop()).toBe(0)
})

/** How many cleanups have thrown: each attempt counts, also when nothing new is said of it. */
async function failures(daemon: Daemon): Promise<number> {
  const text = await (await fetch(String(daemon.events('metrics')[0]?.url))).text()
  return Number(/^leakrig_cleanups_total\{outcome="failed"\} (\d+)$/m.exec(text)?.[1])
}

function fill(file: string): void {
  const fd = fs.openSync(file, 'w')
  try {
    for (;;) fs.writeSync(fd, Buffer.alloc(1024, 'x'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    fs.closeSync(fd)
  }
}
