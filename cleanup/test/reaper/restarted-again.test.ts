import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cleanUp } from '../../index.ts'
import { type AgentRef, agentMarker, updateAgent } from '../../orchestrator.ts'
import { startOf } from '../../platform/processes/table.ts'
import { leakrig } from '../support/cli.ts'
import { Daemon } from '../support/daemon.ts'
import { isRunning, kill, Rig, readText } from '../support/rig.ts'
import { until } from '../support/until.ts'

/* Somebody outside of an agent starts some of it again. One try, over all cleanups, and not one for each retry. */

const idle = 'echo ready; sleep 1000 & wait'
const completed = { status: 'completed', reason: 'it said so', graceMs: 1_000 }
/** The longest that three retries take, which begin a second apart and double. */
const AGAIN_MS = 40_000

let rig: Rig
let ref: AgentRef
beforeEach(async () => {
  rig = await Rig.start()
  ref = await rig.deploy('a', { claude: idle })
})
afterEach(() => rig[Symbol.asyncDispose]())

const file = () => `${rig.folder}/starts`
const starts = () => readText(file()).split('\n').length - 1
const last = () => Number(readText(file()).trim().split('\n').at(-1))
const clean = () => rig.entry(ref).cleanup?.state === 'done'

/** How many cleanups of the daemon did not finish. */
async function unfinished(daemon: Daemon): Promise<number> {
  const text = await (await fetch(String(daemon.events('metrics')[0]?.url))).text()
  return Number(/^leakrig_cleanups_total\{outcome="unfinished"\} (\d+)$/m.exec(text)?.[1])
}

describe('a supervisor that was named', () => {
  let supervisor: number
  beforeEach(async () => {
    const loop = `while :; do env LEAKRIG_AGENT=${agentMarker(ref)} setsid -w sh -c 'echo $$ >>${file()}; exec sleep 1000'; done`
    supervisor = rig.start('bash', ['-c', loop])
    await until('it runs', () => starts() === 1)
  })
  const named = () => ({
    outcome: 'unfinished',
    problems: [expect.stringMatching(new RegExp(`runs: process ${supervisor} \\(bash\\).*Stop it there`))],
  })

  test('keeps what it has started since, whoever cleans up, until it has ended', async () => {
    expect(await cleanUp(ref, completed)).toMatchObject(named())
    expect(rig.entry(ref).cleanup?.supervisors).toEqual([
      { pid: supervisor, start: startOf(supervisor), comm: 'bash' },
    ])
    expect(starts()).toBe(2)
    expect(await cleanUp(ref, completed)).toMatchObject(named())
    // It has crashed, and is started once more, with nothing of the agent's around.
    kill(last())
    await until('it runs again', () => starts() === 3 && isRunning(last()))
    expect(await cleanUp(ref, completed)).toMatchObject(named())
    expect(leakrig(['sweep', rig.workspace]).out).toContain(`process ${supervisor} (bash)`)
    expect(leakrig(['sweep', '--apply', rig.workspace]).out).toContain(`process ${supervisor} (bash)`)
    expect([starts(), isRunning(last())]).toEqual([3, true])

    kill(supervisor)
    await until('it has ended', () => !isRunning(supervisor))
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
    expect([isRunning(last()), rig.entry(ref).cleanup?.supervisors]).toEqual([false, undefined])
  })

  test('is not provoked by the retries of a daemon', async () => {
    const daemon = await Daemon.start(rig, '--metrics-port', '0')
    rig.tmux('kill-session', '-t', '=agent_a:')
    await until('it was tried again', async () => (await unfinished(daemon)) > 2, AGAIN_MS)
    expect(starts()).toBe(2)
    expect(daemon.events('cleanup-failed')).toHaveLength(1)
    kill(supervisor)
    await until('it is clean', clean, AGAIN_MS)
    expect(isRunning(last())).toBe(false)
    expect(await daemon.stop()).toBe(0)
  })
})

test('what somebody unseen has started again is left by a daemon; a sweep ends it', async () => {
  rig.tmux('kill-session', '-t', '=agent_a:')
  await until('it has ended', () => rig.processesOf(ref).length === 0)
  // As the cleanup has left it that has seen such a process.
  const since = new Date().toISOString()
  await updateAgent(ref, entry => {
    const cleanup = { state: 'pending', since, reason: 'it said so', restarted_since: since } as const
    Object.assign(entry, { status: 'completed', completed_at: since, cleanup })
  })
  await until('what begins now is younger', () => Date.now() > Date.parse(since) + 50)
  const worker = `echo $$ >>${file()}; exec sleep 1000`
  rig.start('setsid', ['-f', 'env', `LEAKRIG_AGENT=${agentMarker(ref)}`, 'sh', '-c', worker])
  await until('it runs', () => starts() === 1)
  const daemon = await Daemon.start(rig, '--metrics-port', '0')
  await until('it was tried again', async () => (await unfinished(daemon)) > 2, AGAIN_MS)
  expect(isRunning(last())).toBe(true)
  expect(JSON.stringify(daemon.events('cleanup-failed'))).toMatch(/somebody outside of the agent started it/)
  expect(await daemon.stop()).toBe(0)
  leakrig(['sweep', '--apply', rig.workspace])
  expect([isRunning(last()), clean()]).toEqual([false, true])
})

test('a record that an agent has written of itself keeps nothing of the agent', async () => {
  const own = rig.start('bash', ['-c', 'sleep 1000; :'], { LEAKRIG_AGENT: agentMarker(ref) })
  const pane = Number(rig.tmux('display-message', '-p', '-t', '=agent_a:', '#{pane_pid}'))
  const supervisors = [own, pane, process.pid, 1].map(pid => ({
    pid,
    start: startOf(pid) ?? 0,
    comm: 'bash',
  }))
  await updateAgent(ref, entry => {
    const since = '2026-01-01T00:00:00.000Z'
    entry.cleanup = { state: 'pending', since, reason: '', supervisors, restarted_since: since }
  })
  const daemon = await Daemon.start(rig)
  rig.tmux('kill-session', '-t', '=agent_a:')
  await until('it is clean', clean)
  expect([isRunning(own), rig.processesOf(ref)]).toEqual([false, []])
  expect(await daemon.stop()).toBe(0)
})
