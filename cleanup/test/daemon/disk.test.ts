import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addTask, agentMarker, initRegistries, layout } from '../../orchestrator.ts'
import { Daemon, runDaemonProgram } from '../support/daemon.ts'
import { fill } from '../support/fill.ts'
import { Mount, workspaceOnSmallDisk } from '../support/mount.ts'
import { isRunning, kill, NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'
/** The longest that a retry may take here: a check every three seconds, and a backoff that has doubled a few times. */
const AGAIN_MS = 40_000

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const isClean = (agentId: string) => () => rig.entry(rig.ref(agentId)).cleanup?.state === 'done'

test('the daemon waits for a removed workspace, and watches it again when it comes back', async () => {
  const daemon = await Daemon.start(rig)
  const lost = await rig.deploy('lost', { claude: idle })
  fs.rmSync(rig.workspace, { recursive: true })
  await until('it is logged', () => daemon.events('workspace-lost').length > 0)
  expect(fs.existsSync(rig.workspace)).toBe(false)
  await initRegistries(rig.workspace)
  await addTask(rig.workspace, { task_id: 'TASK-1' })
  await until('it is back', () => daemon.events('workspace-restored').length > 0)
  expect((await runDaemonProgram([rig.workspace])).code).toBe(3)
  const ref = await rig.deploy('next', { claude: idle })
  rig.tmux('kill-session', '-t', '=agent_next:')
  await until('it is clean', isClean('next'))
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  // No registry lists the first agent any more, so it must not be ended.
  expect(rig.processesOf(lost).length).toBeGreaterThan(0)
  expect(daemon.events('workspace-lost')).toHaveLength(1)
  expect(await daemon.stop()).toBe(0)
})

test.each(['comes back', 'stays away'])(
  'without its owner, the daemon waits for a moved workspace while an agent runs; it %s',
  async fate => {
    const owner = rig.start('sleep', ['1000'])
    const ref = await rig.deploy('a', { claude: idle })
    await rig.waitUntilRunning(ref)
    // Its first check, before it says that it has started, finds the agent.
    const daemon = await Daemon.start(rig, '--owner-pid', String(owner))
    kill(owner)
    const away = `${rig.folder}/away`
    fs.renameSync(rig.workspace, away)
    await until('it is logged', () => daemon.events('workspace-lost').length > 0)
    if (fate === 'comes back') {
      fs.renameSync(away, rig.workspace)
      await until('it is back', () => daemon.events('workspace-restored').length > 0)
    }
    expect(daemon.events('stopped')).toEqual([])
    rig.tmux('kill-session', '-t', '=agent_a:')
    expect(await daemon.exit()).toBe(0)
    if (fate === 'comes back') expect(traces(rig, ref)).toEqual(NO_TRACES)
  },
)

test('a workspace that is removed and recreated at once is reported as lost and restored, and its agents are cleaned up', async () => {
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

test('on a full disk the daemon ends what has crashed, reports once that it cannot record it, and does so when there is space', async ({
  skip,
}) => {
  const mounted = await workspaceOnSmallDisk(rig)
  if (typeof mounted === 'string') return skip(mounted)
  using _ = mounted
  const daemon = await Daemon.start(rig, '--metrics-port', '0')
  const ref = await rig.deploy('a', { claude: idle })
  await rig.waitUntilRunning(ref)
  const left = rig.start('sleep', ['1000'], { LEAKRIG_AGENT: agentMarker(ref) })
  const filler = path.join(rig.workspace, 'filler')
  // Its end would make room.
  fs.rmSync(layout.promptFile(ref))
  fill(filler)
  rig.tmux('kill-session', '-t', '=agent_a:')
  await until('it is logged', () => daemon.events('cleanup-failed').length > 0)
  expect([isRunning(left), rig.processesOf(ref)]).toEqual([false, []])
  await until('it was tried again', async () => (await unfinished(daemon)) > 2, AGAIN_MS)
  expect(daemon.events('ended')).toHaveLength(1)
  expect(daemon.events('intent')).toHaveLength(1)
  expect(JSON.stringify(daemon.events('cleanup-failed').at(-1))).toMatch(/no space left/i)
  expect(rig.entry(ref).status).toBe('running')
  fs.rmSync(filler)
  await until('it is clean', isClean('a'), AGAIN_MS)
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(await daemon.stop()).toBe(0)
})

test('the daemon starts on a full disk', async ({ skip }) => {
  const mounted = await workspaceOnSmallDisk(rig)
  if (typeof mounted === 'string') return skip(mounted)
  using _ = mounted
  fill(path.join(rig.workspace, 'filler'))
  const daemon = await Daemon.start(rig)
  expect((await runDaemonProgram([rig.workspace])).code).toBe(3)
  expect(await daemon.stop()).toBe(0)
})

test('on a file system that becomes read-only the daemon moves nothing, reports that once, and continues when it can', async ({
  skip,
}) => {
  const daemon = await Daemon.start(rig, '--metrics-port', '0')
  const ref = await rig.deploy('a', { claude: idle })
  {
    const mounted = Mount.over(rig.workspace, '--bind', rig.workspace)
    if (typeof mounted === 'string') {
      await daemon.stop()
      return skip(mounted)
    }
    using _ = mounted
    mounted.remount('bind,ro')
    rig.tmux('kill-session', '-t', '=agent_a:')
    await until('it is logged', () => daemon.events('cleanup-failed').length > 0)
    await until('it was tried again', async () => (await unfinished(daemon)) > 2, AGAIN_MS)
    expect(daemon.events('ended')).toHaveLength(1)
    expect(daemon.events('intent')).toHaveLength(1)
    expect(daemon.events('cleanup-failed')).toHaveLength(1)
    expect(JSON.stringify(daemon.events('cleanup-failed'))).toMatch(/read-only/i)
    expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
    const { code, stderr } = await runDaemonProgram([rig.workspace])
    expect(code).toBe(3)
    expect(stderr).toMatch(/could not be locked: .*read-only/i)
  }
  await until('it is clean', isClean('a'), AGAIN_MS)
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(await daemon.stop()).toBe(0)
})

/** How many cleanups did not finish. Each attempt counts, also one that logs nothing new. */
async function unfinished(daemon: Daemon): Promise<number> {
  const text = await (await fetch(String(daemon.events('metrics')[0]?.url))).text()
  return Number(/^leakrig_cleanups_total\{outcome="unfinished"\} (\d+)$/m.exec(text)?.[1])
}
