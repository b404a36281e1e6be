import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addAgent, layout } from '../../orchestrator.ts'
import { changeTask } from '../../registry/registry.ts'
import { Daemon } from '../support/daemon.ts'
import { isRunning, kill, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** The problems with asking about an agent. */
const unchecked = (daemon: Daemon) =>
  daemon.events('problem').filter(({ problem }) => String(problem).includes('could not be queried'))

test('without a tmux on the PATH a running agent is left alone, and no cleanup has failed', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  const daemon = await Daemon.startBehind(rig, ['env', `PATH=${rig.folder}`])
  await until('it is logged', () => unchecked(daemon).length > 0)
  expect(unchecked(daemon)).toEqual([
    expect.objectContaining({
      about: `${ref.taskId}/a`,
      problem: expect.stringMatching(
        /there is no tmux on the PATH\. The session may still exist, so it is left alone; install tmux, or put it on the PATH, then try again\.$/,
      ),
    }),
  ])
  expect(daemon.events('cleanup-failed')).toEqual([])
  expect(rig.entry(ref).status).toBe('running')
  expect(await daemon.stop()).toBe(0)
})

test('an agent that is being deployed is left alone, and so is one whose tmux does not reply', async () => {
  const daemon = await Daemon.start(rig)
  const young = rig.ref('young')
  await addAgent(young, {
    status: 'running',
    tmux_session: 'agent_young',
    started_at: new Date().toISOString(),
  })
  const hung = await rig.deploy('hung', { claude: idle, socket: `${rig.folder}/hung` })
  const server = rig.entry(hung).tmux?.server_pid ?? 0
  await daemon.stopServer(server, '/hung')
  kill(rig.entry(hung).tmux?.pane_pid ?? 0)
  await until('it could not be asked', () => unchecked(daemon).length > 0)
  expect(rig.entry(young).status).toBe('running')
  expect(rig.entry(hung).status).toBe('running')
  expect(fs.existsSync(layout.promptFile(hung))).toBe(true)
  process.kill(server, 'SIGCONT')
  await until('it is clean', () => rig.entry(hung).cleanup?.state === 'done')
  await until('the problem is over', () => daemon.events('problem-resolved').length > 0)
  expect(rig.entry(young).status).toBe('running')
  await daemon.stop()
})

test('each entry with an invalid id is reported once, and delays no other agent', async () => {
  const ids = ['../x', 'a b', 'a\nb', '-rf', '=user', '$0']
  const daemon = await Daemon.start(rig)
  const ref = await rig.deploy('a', { claude: idle })
  await changeTask(rig.workspace, ref.taskId, registry => {
    const contained = { by: 'tini', pid: 2, start: 3 } as const
    for (const id of ids) {
      registry.agents.unshift({ id, status: 'running', tmux_session: 'user', contained })
      registry.agents.unshift({ id: `${id}/2`, status: 'completed', tmux_session: id })
    }
  })
  const refusals = () =>
    daemon.events('problem').filter(({ problem }) => /^The agent id .* is refused/s.test(String(problem)))
  await until('all are logged', () => refusals().length >= 2 * ids.length)
  kill(rig.entry(ref).tmux?.pane_pid ?? 0)
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(refusals()).toHaveLength(2 * ids.length)
  expect(rig.sessions()).toEqual(['user'])
  expect(await daemon.stop()).toBe(0)
})

test('a server that does not reply: its agents are left alone, that is reported once for each, and a stop leaves no tmux client', async () => {
  const daemon = await Daemon.start(rig)
  const refs = []
  for (const id of ['a', 'b', 'c', 'd', 'e'])
    refs.push(await rig.deploy(id, { claude: idle, socket: `${rig.folder}/hung` }))
  const [first] = refs
  const server = first ? (rig.entry(first).tmux?.server_pid ?? 0) : 0
  await daemon.stopServer(server, '/hung')
  for (const ref of refs) kill(rig.entry(ref).tmux?.pane_pid ?? 0)
  await until('none could be asked', () => unchecked(daemon).length >= refs.length)
  await until('none asks', () => daemon.clients().length === 0)
  await until('it asks again', () => daemon.clients().length > 0)
  const named = unchecked(daemon).map(({ about }) => about)
  expect(daemon.events('cleanup-failed')).toEqual([])
  expect(named.sort()).toEqual(refs.map(({ taskId, agentId }) => `${taskId}/${agentId}`))
  expect(daemon.events('signal')).toEqual([])
  expect(daemon.events('mass-death')).toEqual([])
  for (const ref of refs) {
    expect(rig.entry(ref)).toMatchObject({ status: 'running' })
    expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
  }
  const asking = daemon.clients()
  expect(await daemon.stop()).toBe(0)
  await until('no client is left', () => !asking.some(isRunning))
  process.kill(server, 'SIGCONT')
})
