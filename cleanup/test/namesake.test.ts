import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type AgentRef,
  addAgent,
  addTask,
  cleanUp,
  initRegistries,
  layout,
  readGlobalRegistry,
  type Sweep,
  updateAgent,
} from '../index.ts'
import { leakrigJson } from './support/cli.ts'
import { isRunning, kill, NO_TRACES, Rig, traces } from './support/rig.ts'
import { until } from './support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'
const ended = {
  status: 'completed',
  started_at: '2026-01-01T00:00:00Z',
  completed_at: '2026-01-01T01:00:00Z',
}

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** An agent of another orchestrator, which records no place and hands out no marker, at its end; its session is gone. */
async function deployEarlier(entry = {}): Promise<AgentRef> {
  const ref = await rig.deploy('builder', { claude: idle, recorded: false, marker: false })
  rig.tmux('kill-session', '-t', '=agent_builder:')
  await until('its session is gone', () => !rig.sessions().includes('agent_builder'))
  await updateAgent(ref, known => Object.assign(known, ended, entry))
  return ref
}

/** The same agent by name, in another task or workspace. */
async function later(workspace = rig.workspace): Promise<AgentRef> {
  if (workspace !== rig.workspace) await initRegistries(workspace)
  await addTask(workspace, { task_id: 'TASK-2' })
  return { workspace, taskId: 'TASK-2', agentId: 'builder' }
}

const panePid = () => Number(rig.tmux('list-panes', '-t', '=agent_builder:', '-F', '#{pane_pid}'))

test.each<[what: string, why: RegExp, start: () => Promise<unknown>]>([
  [
    'writes the log of another workspace',
    /writes .*\/TASK-2\/logs\/builder_stream.jsonl/,
    async () => {
      const ref = await later(path.join(rig.folder, 'elsewhere'))
      rig.newSession(ref, { claude: idle, marker: false })
      await until('it writes', () => fs.existsSync(layout.streamLog(ref)))
    },
  ],
  [
    'carries the marker of another workspace',
    /carries LEAKRIG_AGENT=.*elsewhere\/TASK-2\/builder/,
    async () =>
      rig.newSession(await later(path.join(rig.folder, 'elsewhere')), { claude: '' }, ['sleep', '1000']),
  ],
  [
    'was created after the agent had ended',
    /was created after the agent had ended/,
    async () => rig.tmux('new-session', '-d', '-s', 'agent_builder', 'sleep 1000'),
  ],
])('a session of an agent’s name that %s is left alone', async (_, why, start) => {
  const ref = await deployEarlier()
  await start()
  const pid = panePid()
  const report = await cleanUp(ref, { status: 'completed', reason: 'it said so' })
  expect(report).toMatchObject({ outcome: 'clean', session: 'was-gone', ended: [], problems: [] })
  expect(report.notes).toEqual([expect.stringMatching(/^The session agent_builder \(\$\d+\) is left alone/)])
  expect(report.notes[0]).toMatch(why)
  expect(isRunning(pid)).toBe(true)
  kill(pid)
})

test('a sweep leaves the session to the agent of that name that lives, and says so', async () => {
  // Without a time of its end, and of a session in which nothing tells whose it is.
  const ref = await deployEarlier({ completed_at: undefined })
  const living = await later()
  rig.tmux('new-session', '-d', '-s', 'agent_builder', 'sleep 1000')
  await addAgent(living, { status: 'running', tmux_session: 'agent_builder' })
  const run = () => leakrigJson<{ sweeps: Sweep[] }>(['sweep', rig.workspace, '--apply', '--min-age', '0'])
  const [{ agents } = { agents: [] }] = run().sweeps
  expect(agents).toContainEqual(
    expect.objectContaining({
      agent: ref,
      plan: expect.objectContaining({
        stays: [expect.stringMatching(/TASK-2\/builder, which lives, has a session of that name/)],
      }),
    }),
  )
  expect({ ...traces(rig, ref), session: rig.sessions().includes('agent_builder') }).toEqual({
    ...NO_TRACES,
    session: true,
  })
  expect(readGlobalRegistry(rig.workspace).agents.builder).toMatchObject({
    task_id: 'TASK-2',
    status: 'running',
  })
  // Once it has ended too, the session is its own.
  await updateAgent(living, known => Object.assign(known, { status: 'completed' }))
  run()
  expect(rig.sessions()).toEqual(['user'])
})

test('an entry that tells an earlier end, of an agent that was started again, speaks against no session', async () => {
  const ref = await deployEarlier({ started_at: '2026-02-01T00:00:00Z' })
  rig.tmux('new-session', '-d', '-s', 'agent_builder', 'sleep 1000')
  expect(await cleanUp(ref, { status: 'completed', reason: 'it said so' })).toMatchObject({
    outcome: 'clean',
    notes: [],
  })
  expect(rig.sessions()).toEqual(['user'])
})
