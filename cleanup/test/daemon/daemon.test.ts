import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AgentRef, recordIntent } from '../../index.ts'
import { layout, updateAgent } from '../../orchestrator.ts'
import { Daemon } from '../support/daemon.ts'
import { isRunning, kill, NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'
const result = (fields: object) =>
  `echo '${JSON.stringify({ type: 'result', subtype: 'success', ...fields })}'`

let rig: Rig
let daemon: Daemon
beforeEach(async () => {
  rig = await Rig.start()
  daemon = await Daemon.start(rig)
})
afterEach(async () => {
  await daemon.stop()
  await rig[Symbol.asyncDispose]()
})

const cleaned = (ref: AgentRef) => until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')

describe('an agent that dies unreported', () => {
  test.each<[string, (ref: AgentRef) => void, RegExp]>([
    [
      'its pane’s process is killed',
      ref => kill(rig.entry(ref).tmux?.pane_pid ?? 0),
      /^its pane's process \d+ ended/,
    ],
    // tmux 3.7 lists the session until its pane's process has ended.
    [
      'its session is killed',
      () => rig.tmux('kill-session', '-t', '=agent_a:'),
      /its tmux session is gone$|^its pane's process \d+ ended$/,
    ],
    [
      'its server is killed',
      ref => kill(rig.entry(ref).tmux?.server_pid ?? 0),
      /^its tmux server \d+ is gone$/,
    ],
    ['its server is stopped', () => rig.tmux('kill-server'), /^its tmux server \d+ is gone$/],
  ])('%s', async (_, end, reason) => {
    const claude = `setsid bash -c 'trap "" HUP; echo $$ > own.pid; sleep 1000' >/dev/null 2>&1 & ${idle}`
    const ref = await rig.deploy('a', { claude })
    const other = await rig.deploy('other', { claude: idle, socket: `${rig.folder}/other` })
    const own = await rig.pid('own')
    end(ref)
    await cleaned(ref)
    expect(rig.entry(ref)).toMatchObject({ status: 'crashed', reason: expect.stringMatching(reason) })
    expect(isRunning(own)).toBe(false)
    expect(fs.existsSync(layout.promptFile(ref))).toBe(false)
    expect(rig.entry(other).status).toBe('running')
    expect(rig.processesOf(other)).toHaveLength(4)
  })

  test('its claude is killed inside the pane', async () => {
    const ref = await rig.deploy('a', { claude: 'echo $$ > claude.pid; echo ready; exec sleep 1000' })
    kill(await rig.pid('claude'))
    await cleaned(ref)
    expect(rig.entry(ref)).toMatchObject({ status: 'crashed' })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('its session is killed while its pane’s process ignores the hang-up', async () => {
    const ref = await rig.deploy('a', { claude: idle, before: 'trap "" HUP TERM;' })
    rig.tmux('kill-session', '-t', '=agent_a:')
    await cleaned(ref)
    expect(rig.entry(ref)).toMatchObject({ status: 'crashed', reason: 'its tmux session is gone' })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('a pane that tmux keeps', async () => {
    const ref = await rig.deploy('a', { claude: 'echo $$ > claude.pid; echo ready; exec sleep 1000' })
    rig.tmux('set-option', '-t', '=agent_a:', 'remain-on-exit', 'on')
    kill(await rig.pid('claude'))
    await cleaned(ref)
    expect(rig.entry(ref)).toMatchObject({
      status: 'crashed',
      reason: expect.stringMatching(/^its pane's process/),
    })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })
})

describe('an agent that leaves by itself', () => {
  test.each([
    ['after a successful result', result({ is_error: false }), 'completed'],
    ['after a result that is an error', result({ is_error: true }), 'crashed'],
    ['in the middle of a line', 'printf \'{"type":"assist\'', 'crashed'],
  ])('%s', async (_, last, status) => {
    const ref = await rig.deploy('a', { claude: `echo ready; sleep 0.1; ${last}` })
    await cleaned(ref)
    expect(rig.entry(ref).status).toBe(status)
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('an end that it reported stands', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    await recordIntent(ref, { status: 'failed', reason: 'it said so' })
    await cleaned(ref)
    expect(rig.entry(ref)).toMatchObject({ status: 'failed', reason: 'it said so' })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })
})

test('a status written by another program leads to a cleanup', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  await updateAgent(ref, entry => {
    entry.status = 'completed'
  })
  await cleaned(ref)
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

test('a task that is added later, and a truncated registry, are noticed', async () => {
  const file = layout.taskRegistry(rig.workspace, 'TASK-2')
  fs.mkdirSync(path.dirname(file))
  fs.writeFileSync(file, '{"agents": [')
  await until('it is logged', () => daemon.events('problem').length > 0)
  fs.writeFileSync(file, JSON.stringify({ agents: [{ id: 'theirs', status: 'completed' }] }))
  const ref = { workspace: rig.workspace, taskId: 'TASK-2', agentId: 'theirs' }
  await cleaned(ref)
})
