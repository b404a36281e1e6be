import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { logWriters } from '../../claims/log-writers.ts'
import { observe, observeAgain } from '../../claims/observe.ts'
import { type AgentRef, cleanUp, type Sweep } from '../../index.ts'
import { detectEnd } from '../../liveness/detect-end.ts'
import {
  addAgent,
  addTask,
  agentMarker,
  initRegistries,
  layout,
  readTaskRegistry,
  updateAgent,
} from '../../orchestrator.ts'
import { readMachine } from '../../platform/processes/table.ts'
import { readGlobalRegistry } from '../../registry/registry.ts'
import { attach } from '../support/attach.ts'
import { leakrig, leakrigJson } from '../support/cli.ts'
import { isRunning, kill, NO_TRACES, Rig, readText, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

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

async function writeElsewhere(): Promise<AgentRef> {
  const ref = await later(path.join(rig.folder, 'elsewhere'))
  rig.newSession(ref, { claude: idle, marker: false })
  await until('it writes', () => fs.existsSync(layout.streamLog(ref)))
  return ref
}

const panePid = () => Number(rig.tmux('list-panes', '-t', '=agent_builder:', '-F', '#{pane_pid}'))

test.each<[what: string, why: RegExp, start: () => Promise<unknown>]>([
  ['writes the log of another workspace', /writes .*\/TASK-2\/logs\/builder_stream.jsonl/, writeElsewhere],
  [
    'writes the log of another workspace, in an environment of its own',
    /writes .*\/TASK-2\/logs\/builder_stream.jsonl/,
    async () => {
      const ref = await later(path.join(rig.folder, 'elsewhere'))
      const line = `${rig.pipeline(ref, { claude: idle })} true`
      // As with sudo -u, su - or a clean profile.
      const clean = ['env', '-i', `LEAKRIG_TEST=${rig.folder}`, `PATH=${process.env.PATH}`]
      rig.newSession(ref, { claude: '', marker: false }, [...clean, 'bash', '-c', line])
      await until('it writes', () => fs.existsSync(layout.streamLog(ref)))
    },
  ],
  [
    'writes a log of another workspace that somebody has deleted',
    /writes .*\/TASK-2\/logs\/builder_stream.jsonl/,
    async () => fs.rmSync(layout.streamLog(await writeElsewhere())),
  ],
  [
    'carries the marker of another workspace',
    /carries LEAKRIG_AGENT=.*elsewhere\/TASK-2\/builder/,
    async () => {
      rig.newSession(await later(path.join(rig.folder, 'elsewhere')), { claude: '' }, ['sleep', '1000'])
      await until('it is itself', () => readText(`/proc/${panePid()}/environ`).includes('elsewhere/TASK-2'))
    },
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
  expect(report).toMatchObject({ outcome: 'clean', session: 'left-alone', ended: [], problems: [] })
  expect(report.notes).toEqual([expect.stringMatching(/^The session agent_builder \(\$\d+\) is left alone/)])
  expect(report.notes[0]).toMatch(why)
  expect(isRunning(pid)).toBe(true)
  kill(pid)
})

test.each([
  ['completed', 3, undefined],
  ['completed', 30, 0],
  ['running', 3, undefined],
])(
  'a session that began long after a %s agent of its name is left, attached or not: %i h',
  async (status, hours, completed) => {
    const ago = (h: number) => new Date(Date.now() - h * 3_600_000).toISOString()
    const ref = rig.ref('builder')
    rig.writeFiles(ref)
    rig.tmux('new-session', '-d', '-s', 'agent_builder', `echo $$ >${rig.folder}/mine.pid; exec sleep 1000`)
    const mine = await rig.pid('mine')
    // An end that is recorded before the session began would be a reason of its own.
    await addAgent(ref, {
      ...{ status, tmux_session: 'agent_builder', started_at: ago(hours) },
      ...(completed !== undefined && { completed_at: ago(completed) }),
    })
    if (completed === undefined) await attach(rig, 'agent_builder')
    if (status === 'running') await cleanUp(ref, { status: 'completed', reason: 'it said so' })
    const { out } = leakrig(['sweep', rig.workspace, '--apply'])
    if (status !== 'running')
      expect(out).toMatch(/agent_builder .* is left alone.* was created long after the agent began/)
    expect(isRunning(mine)).toBe(true)
    expect(rig.sessions()).toContain('agent_builder')
    expect(rig.entry(ref).cleanup?.state).toBe('done')
    expect(fs.existsSync(layout.promptFile(ref))).toBe(false)
  },
)

test.each(['swept', 'cleaned up'])(
  'an agent of another server that has ended is %s, and leaves a session of its name that was opened after its log was begun',
  async how => {
    const work = path.join(path.dirname(rig.socket), 'work')
    rig.tmux('-S', work, '-f', '/dev/null', 'new-session', '-d', '-s', 'keep', 'sleep 1000')
    const result = '{"type":"result","subtype":"success","is_error":false,"result":"ok"}'
    const ref = await rig.deploy('builder', {
      claude: `echo ready; while ! [ -e go ]; do sleep 0.02; done; echo '${result}'`,
      recorded: false,
      marker: false,
      socket: work,
    })
    const { birthtimeMs } = fs.statSync(layout.streamLog(ref))
    // tmux tells the birth of a session in whole seconds.
    await until('its log is 3 s old', () => Date.now() > birthtimeMs + 3_000)
    rig.tmux('new-session', '-d', '-s', 'agent_builder', `echo $$ >${rig.folder}/other.pid; exec sleep 1000`)
    const other = await rig.pid('other')
    fs.writeFileSync(path.join(rig.folder, 'go'), '')
    const onWork = () => rig.tmux('-S', work, 'list-sessions', '-F', '#{session_name}')
    await until('it has ended', () => onWork() === 'keep')
    if (how === 'swept') {
      const { out } = leakrig(['sweep', rig.workspace, '--apply', '--min-age', '0s'])
      expect(out).toMatch(/agent_builder .* is left alone.* was created after the agent’s log was begun/)
    } else await cleanUp(ref, { status: 'completed', reason: 'it said so' })
    expect(isRunning(other)).toBe(true)
    expect(rig.entry(ref)).toMatchObject({ status: 'completed', cleanup: { state: 'done' } })
  },
)

test('a sweep leaves the session to the living agent of that name, and shows why', async () => {
  // The entry has no time of its end, and nothing in the session shows whose it is.
  const ref = await deployEarlier({ completed_at: undefined, started_at: new Date().toISOString() })
  const living = await later()
  rig.tmux('new-session', '-d', '-s', 'agent_builder', 'sleep 1000')
  await addAgent(living, { status: 'running', tmux_session: 'agent_builder' })
  const run = () => leakrigJson<{ sweeps: Sweep[] }>(['sweep', rig.workspace, '--apply', '--min-age', '0s'])
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

test('the end of an earlier run does not take the session from an agent that was started again', async () => {
  const ref = await deployEarlier({ started_at: new Date().toISOString() })
  rig.tmux('new-session', '-d', '-s', 'agent_builder', 'sleep 1000')
  expect(await cleanUp(ref, { status: 'completed', reason: 'it said so' })).toMatchObject({
    outcome: 'clean',
    notes: [],
  })
  expect(rig.sessions()).toEqual(['user'])
})

describe('a session that is not the agent’s alone', () => {
  /** Opens a window for an agent of another orchestrator in a session, and registers it as being in that. */
  async function openWindow(id: string, session: string, named = session): Promise<AgentRef> {
    const ref = rig.ref(id)
    const script = `echo $$ >${id}.pid; ${idle}`
    rig.tmux('new-window', '-d', '-t', `=${session}:`, '-n', id, rig.pipeline(ref, { claude: script }))
    await addAgent(ref, { status: 'running', tmux_session: named })
    await until(`${id} writes`, () => readText(layout.streamLog(ref)).includes('ready'))
    return ref
  }
  const end = (ref: AgentRef) => cleanUp(ref, { status: 'completed', reason: 'it said so', graceMs: 1_000 })

  let user: number
  beforeEach(async () => {
    rig.tmux('new-session', '-d', '-s', 'swarm', `echo $$ >${rig.folder}/user.pid; exec sleep 1000`)
    user = await rig.pid('user')
  })

  test('holds several agents: each ends with its own window', async () => {
    const [a, b] = [await openWindow('a', 'swarm'), await openWindow('b', 'swarm')]
    const [one, other] = [await rig.pid('a'), await rig.pid('b')]
    expect(await end(a)).toMatchObject({
      outcome: 'clean',
      notes: [expect.stringMatching(/its pane %\d+ is the agent/)],
    })
    expect([one, other, user].map(isRunning)).toEqual([false, true, true])
    expect(rig.entry(b).status).toBe('running')
    expect(rig.tmux('list-windows', '-t', '=swarm:', '-F', '#{window_name}').split('\n')).not.toContain('a')
  })

  test('holds an agent that was registered late: it ends too, and leaves no dead pane', async () => {
    rig.tmux('set-option', '-w', '-g', 'remain-on-exit', 'on')
    const [a] = [await openWindow('a', 'swarm'), await openWindow('b', 'swarm')]
    const started_at = new Date(Date.now() + 60_000).toISOString()
    await updateAgent(a, entry => Object.assign(entry, { started_at }))
    expect(await end(a)).toMatchObject({ outcome: 'clean', session: 'left-alone', problems: [] })
    expect(rig.tmux('list-windows', '-t', '=swarm:', '-F', '#{window_name}').split('\n').slice(1)).toEqual([
      'b',
    ])
    expect(isRunning(user)).toBe(true)
  })

  test('holds two agents in one pane: the other lives on', async () => {
    const [a, b] = [rig.ref('a'), rig.ref('b')]
    const both = [a, b].map(ref => rig.pipeline(ref, { claude: `echo $$ >${ref.agentId}.pid; ${idle}` }))
    rig.tmux('new-session', '-d', '-s', 'pool', `${both.map(line => `( ${line} true ) &`).join(' ')} wait`)
    for (const ref of [a, b]) await addAgent(ref, { status: 'running', tmux_session: 'pool' })
    for (const ref of [a, b])
      await until('it writes', () => readText(layout.streamLog(ref)).includes('ready'))
    const other = await rig.pid('b')
    await end(a)
    expect(isRunning(other)).toBe(true)
    expect(rig.sessions()).toContain('pool')
  })

  test.each(['window', 'pane'])('is named by a %s of it', async part => {
    const ref = await openWindow('a', 'swarm')
    const pid = await rig.pid('a')
    const named = part === 'window' ? 'swarm:a' : rig.tmux('list-panes', '-t', '=swarm:a', '-F', '#{pane_id}')
    await updateAgent(ref, entry => Object.assign(entry, { tmux_session: named }))
    expect(await detectEnd(ref, rig.entry(ref))).toBeUndefined()
    expect(await end(ref)).toMatchObject({ outcome: 'clean', problems: [] })
    expect([pid, user].map(isRunning)).toEqual([false, true])
  })

  test('holds a window that the user has moved there', async () => {
    const ref = await rig.deploy('a', { claude: idle, recorded: false, marker: false })
    rig.tmux('move-window', '-d', '-s', '=swarm:0', '-t', '=agent_a:7')
    expect(await end(ref)).toMatchObject({
      outcome: 'clean',
      notes: [expect.stringMatching(/was born in another session/)],
    })
    expect(rig.processesOf(ref)).toEqual([])
    expect(isRunning(user)).toBe(true)
  })

  test('is the user’s own, and older than the agent', async () => {
    const ref = rig.ref('a')
    const started_at = new Date(Date.now() + 600_000).toISOString()
    await addAgent(ref, { status: 'running', tmux_session: 'swarm', started_at })
    expect((await end(ref)).notes).toEqual([expect.stringMatching(/was there long before the agent/)])
    expect(isRunning(user)).toBe(true)
  })

  test('is another’s in the first observation, and so in the last', async () => {
    const ref = rig.ref('a')
    await addAgent(ref, { status: 'running', tmux_session: 'swarm' })
    const other = await openWindow('b', 'swarm')
    const observation = await observe(ref, readTaskRegistry(ref.workspace, ref.taskId))
    expect(observation.sharedSession?.why).toMatch(/writes .*b_stream.jsonl/)
    await updateAgent(other, entry => Object.assign(entry, { status: 'completed' }))
    rig.tmux('kill-window', '-t', '=swarm:b')
    await until(
      'nobody writes',
      async () => logWriters((await readMachine()).openFiles, layout.streamLog(other)).length === 0,
    )
    const last = await observeAgain(observation)
    expect([last.location.session, last.sharedSession]).toEqual([undefined, observation.sharedSession])
  })
})

test.each(['Europe/Berlin', 'America/New_York'])(
  'a time without a zone speaks for nothing that is hours off: %s',
  async zone => {
    const naive = (ms: number) => new Date(Date.now() + ms).toISOString().slice(0, -1)
    const ref = await rig.deploy('a', {
      claude: 'echo ready',
      after: 'exec sleep 1000',
      recorded: false,
      marker: false,
      // As Python's utcnow() writes them.
      entry: { status: 'completed', started_at: naive(0), completed_at: naive(2_000) },
    })
    const writers = async () => logWriters((await readMachine()).openFiles, layout.streamLog(ref))
    await until('nobody writes', async () => (await writers()).length === 0)
    leakrig(['sweep', rig.workspace, '--apply'], '/', { TZ: zone })
    expect(rig.sessions()).toEqual(['user'])
    expect(rig.entry(ref).cleanup?.state).toBe('done')
  },
)

test('an entry of the same id that was never ended does not keep the session from the later run', async () => {
  await addAgent(rig.ref('builder'), { status: 'running', started_at: '2026-01-01T00:00:00Z' })
  const ref = await later()
  rig.newSession(ref, { claude: '', marker: false }, ['sleep', '1000'])
  await addAgent(ref, { status: 'completed', started_at: new Date().toISOString() })
  expect(await cleanUp(ref, { status: 'completed', reason: 'it said so' })).toMatchObject({
    outcome: 'clean',
    notes: [],
  })
  expect(rig.sessions()).toEqual(['user'])
})

test('a registry that breaks during a cleanup does not stop it', async () => {
  const ref = rig.ref('late')
  await addAgent(ref, { status: 'running' })
  await addTask(rig.workspace, { task_id: 'TASK-2' })
  rig.start('sleep', ['1000'], { LEAKRIG_AGENT: agentMarker(ref) })
  let isBroken = false
  const log = ({ event }: { event: string }) => {
    if (isBroken || event !== 'signal') return
    isBroken = true
    rig.newSession(ref, { claude: '', marker: false }, ['sleep', '1000'])
    fs.writeFileSync(layout.taskRegistry(rig.workspace, 'TASK-2'), '{')
  }
  const report = await cleanUp(ref, { status: 'completed', reason: 'it said so', log })
  expect(report.notes).toEqual([expect.stringMatching(/TASK-2.* could not be read/)])
  expect(rig.sessions()).toContain('agent_late')
})
