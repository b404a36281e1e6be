import { afterEach, beforeEach, expect, test } from 'vitest'
import { testProgram } from '../../../bin/programs.ts'
import { addAgent, updateAgent } from '../../orchestrator.ts'
import { startOf } from '../../platform/processes/table.ts'
import { Daemon } from '../support/daemon.ts'
import { NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const PROGRAM = testProgram('daemon-clock')
const HOUR = 3_600_000
const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

test.each([
  ['forward', HOUR],
  ['back', -HOUR],
])('moving the clock %s by an hour makes no agent old, and delays nothing', async (_, ms) => {
  const daemon = await Daemon.startAs(rig, PROGRAM, String(ms))
  const young = { status: 'running', tmux_session: 'agent_young', started_at: new Date().toISOString() }
  await addAgent(rig.ref('young'), young)
  const hung = await rig.deploy('hung', { claude: idle, socket: `${rig.folder}/hung` })
  const left = await rig.deploy('left', { claude: idle })
  const server = rig.entry(hung).tmux?.server_pid ?? 0
  process.kill(server, 'SIGSTOP')
  process.kill(rig.entry(hung).tmux?.pane_pid ?? 0, 'SIGKILL')
  await until('the hung one waits for its next attempt', () => daemon.events('problem').length > 0)
  daemon.child.kill('SIGUSR2')
  await until('the clock is moved', () => daemon.events('clock-moved').length > 0)
  process.kill(server, 'SIGCONT')
  // A living cleaner gets its head start, which ends whatever the clock shows.
  const cleaner = { pid: process.pid, start: startOf(process.pid) ?? 0 }
  await updateAgent(left, entry => {
    const since = new Date(Date.now() + 2 * ms).toISOString()
    Object.assign(entry, {
      status: 'completed',
      cleanup: { state: 'pending', since, reason: 'x', cleaner },
    })
  })
  for (const ref of [hung, left]) {
    await until(`${ref.agentId} is clean`, () => rig.entry(ref).cleanup?.state === 'done')
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  }
  expect(rig.entry(rig.ref('young')).status).toBe('running')
  expect(await daemon.stop()).toBe(0)
})
