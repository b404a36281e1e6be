import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testProgram } from '../../../bin/programs.ts'
import { recordIntent } from '../../index.ts'
import { layout } from '../../orchestrator.ts'
import { Daemon } from '../support/daemon.ts'
import { NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const KILLED = testProgram('daemon-killed')
const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

test.each([
  ['ended', 1],
  ['intent', 1],
  ['signal', 1],
  ['signal', 2],
  ['remove', 1],
  ['archive', 1],
  ['archive', 4],
  ['done', 1],
  ['cleaned', 1],
])('after kill -9 at %s (%i), the next daemon finishes what was begun', async (event, count) => {
  const daemon = await Daemon.startAs(rig, KILLED, event, String(count))
  // It outlives its session, so that there is something to signal.
  const claude = `setsid bash -c 'trap "" HUP; sleep 1000 & sleep 1000' >/dev/null 2>&1 & ${idle}`
  const ref = await rig.deploy('cut', { claude })
  const other = await rig.deploy('other', { claude: idle })
  rig.tmux('kill-session', '-t', '=agent_cut:')
  expect(await daemon.exit()).toBeNull()
  expect(daemon.child.signalCode).toBe('SIGKILL')
  const next = await Daemon.start(rig)
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(rig.entry(ref).status).toBe('crashed')
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(fs.readdirSync(layout.archiveFolder(ref))).toHaveLength(4)
  expect(rig.entry(other).status).toBe('running')
  expect(await next.stop()).toBe(0)
})

test.each(['freeze', 'kill-session'])(
  'killed with -9 at %s of an agent that resists and a pane that stays, the next one finishes what it began',
  async event => {
    const daemon = await Daemon.startAs(rig, KILLED, event)
    const ref = await rig.deploy('cut', { claude: 'trap "" TERM HUP; echo ready; while :; do sleep 1; done' })
    rig.tmux('set-option', '-t', '=agent_cut:', 'remain-on-exit', 'on')
    await recordIntent(ref, { status: 'completed', reason: 'it said so' })
    expect(await daemon.exit()).toBeNull()
    expect(daemon.child.signalCode).toBe('SIGKILL')
    expect(rig.sessions()).toContain('agent_cut')
    const next = await Daemon.start(rig)
    await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
    expect(rig.entry(ref).status).toBe('completed')
    expect(traces(rig, ref)).toEqual(NO_TRACES)
    expect(await next.stop()).toBe(0)
  },
)
