import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { type AgentRef, cleanUp, type Measurement, type Sweep } from '../../index.ts'
import { addAgent, agentMarker, layout, updateAgent } from '../../orchestrator.ts'
import { beganMs } from '../../platform/processes/details.ts'
import { startOf } from '../../platform/processes/table.ts'
import { leakrig, leakrigJson } from '../support/cli.ts'
import { canMount } from '../support/mount-namespace.ts'
import { isRunning, kill, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'
const completed = { status: 'completed', reason: 'it said so', graceMs: 1_000 }

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const sweep = (...args: string[]) =>
  leakrigJson<{ exitCode: number; sweeps: Sweep[] }>(['sweep', rig.workspace, '--min-age', '0s', ...args])
const status = () => leakrigJson<Measurement>(['status', rig.workspace])

/** A process that notes its pid in `<name>.pid`, for a shell. */
const noting = (name: string, prefix = '') =>
  `${prefix} bash -c 'echo $$ >${rig.folder}/${name}.pid; exec sleep 1000'`
const orphan = (name: string, prefix: string) =>
  `(cd /; setsid ${noting(name, prefix)} </dev/null >/dev/null 2>&1 &)`

/** What each command names as left over, of the processes that this test has started. */
function named(pids: readonly number[]) {
  const own = (all: readonly { pid: number }[] = []) =>
    all
      .map(({ pid }) => pid)
      .filter(pid => pids.includes(pid))
      .sort((a, b) => a - b)
  const [swept] = sweep().sweeps
  const measured = status()
  return {
    sweep: own([...(swept?.leftovers?.processes ?? []), ...(swept?.suspects ?? [])]),
    status: own([...(measured.processes?.leftovers ?? []), ...(measured.processes?.suspects ?? [])]),
    sessions: [
      swept?.leftovers?.sessions.map(({ name }) => name).sort(),
      measured.sessions?.leftover.map(({ name }) => name).sort(),
    ],
  }
}

const doneBefore = async (id: string, script = ''): Promise<AgentRef> => {
  const ref = await rig.deploy(id, { claude: `${script}\n${idle}` })
  await cleanUp(ref, completed)
  return ref
}

test('sweep, status and explain name the same, and apply leaves what it said that it leaves', async () => {
  // Of an agent that is done: a suspect, a job of the tmux server, a process that came later, one that writes the log.
  const done = await rig.deploy('done', {
    claude: `${orphan('suspect', 'env -i PATH=/usr/bin:/bin PORT=3000')}
tmux run-shell -b 'trap "" HUP TERM; echo $$ >${rig.folder}/job.pid; exec sleep 1000'
until [ -s ${rig.folder}/suspect.pid ] && [ -s ${rig.folder}/job.pid ]; do sleep 0.01; done; ${idle}`,
  })
  const pids = [await rig.pid('suspect'), await rig.pid('job')]
  expect(await cleanUp(done, completed)).toMatchObject({ outcome: 'clean' })
  const later = rig.start('sleep', ['1000'], { LEAKRIG_AGENT: agentMarker(done) })
  rig.start('bash', ['-c', `exec 7>>${layout.streamLog(done)}; ${noting('writer')}`])
  // A session with the name of an agent that is done, and one that no registry lists.
  const back = await doneBefore('back')
  rig.newSession(back, { claude: '', marker: false }, ['bash', '-c', noting('back')])
  rig.newSession(rig.ref('nobody'), { claude: '', marker: false }, ['bash', '-c', noting('nobody')])
  // Processes of an agent that no registry lists.
  const marked = (marker: string) => rig.start('sleep', ['1000'], { LEAKRIG_AGENT: marker })
  const unlisted = marked(agentMarker(rig.ref('unlisted')))
  // Others: a live agent, an agent of another workspace, a process of the user's.
  const live = await rig.deploy('live', { claude: idle })
  fs.mkdirSync(`${rig.folder}/other/.agent-workspace/T`, { recursive: true })
  const foreign = marked(`${rig.folder}/other/.agent-workspace/T/a`)
  const users = rig.start('sleep', ['1000'])

  const left = [...pids, later, await rig.pid('writer'), await rig.pid('back'), await rig.pid('nobody')]
  left.push(unlisted)
  const all = [...left, foreign, users].sort((a, b) => a - b)
  const found = named(all)
  expect(found.sweep).toEqual(left.toSorted((a, b) => a - b))
  expect(found.status).toEqual(found.sweep)
  expect(found.sessions).toEqual([
    ['agent_back', 'agent_nobody'],
    ['agent_back', 'agent_nobody'],
  ])
  const explained = leakrig(['explain', 'done', rig.workspace]).out
  for (const pid of [...pids, later]) expect(explained).toMatch(new RegExp(`\\b${pid}\\b`))
  const text = leakrig(['sweep', rig.workspace, '--min-age', '0s']).out
  for (const pid of left) expect(text).toMatch(new RegExp(`\\b${pid}\\b`))

  const [applied] = sweep('--apply', '--orphans', '--grace', '1s').sweeps
  expect(applied?.problems).toEqual([])
  expect([later, unlisted, await rig.pid('nobody'), await rig.pid('back')].filter(isRunning)).toEqual([])
  const stay = pids
  expect([...stay, foreign, users].filter(pid => !isRunning(pid))).toEqual([])
  expect(rig.processesOf(live).length).toBeGreaterThan(0)
  const again = named(all)
  expect(again.sweep).toEqual(stay.toSorted((a, b) => a - b))
  expect(again.status).toEqual(again.sweep)
})

test.each([
  // What began right after it may seem to be older: the kernel's times are rounded.
  [8, ['agent_back']],
  [500, []],
])(
  'a session of the name of an agent that is done, begun %i ms before the end of its cleanup',
  async (ms, sessions) => {
    const back = await doneBefore('back')
    rig.newSession(back, { claude: '', marker: false }, ['bash', '-c', noting('back')])
    const start = startOf(await rig.pid('back')) ?? 0
    const finished_at = new Date(beganMs({ start }) + ms).toISOString()
    await updateAgent(back, entry => Object.assign(entry.cleanup ?? {}, { finished_at }))
    expect(named([]).sessions).toEqual([sessions, sessions])
  },
)

/** What a program of support/ prints in namespaces of its own. */
function printedInside(namespaces: string, program: string): string {
  const file = path.join(import.meta.dirname, '../support', program)
  const words = [namespaces, '--mount-proc', '--kill-child', process.execPath, file]
  const { stdout, stderr } = spawnSync('unshare', words, { encoding: 'utf8' })
  expect(stderr).toBe('')
  return stdout
}

test('what is marked for a workspace that no longer exists is ended, but for a user’s pane, and while the agent runs', () => {
  // In a pid namespace, because every other sweep of this machine would end it too.
  needs('right to make a pid namespace', spawnSync('unshare', ['-pf', '--kill-child', 'true']).status === 0)
  const stdout = printedInside('-pf', 'homeless.ts')
  const others = ['foreign', 'job', 'pane', 'private', 'moved', 'daemon', 'copied', 'rotated', 'unmarked']
  const all = ['homeless', 'removed', ...others]
  expect(JSON.parse(stdout)).toEqual({
    problems: [],
    listed: ['homeless', 'job', 'pane', 'removed', 'unmarked'],
    measured: ['homeless', 'job', 'pane', 'removed', 'unmarked'],
    sessions: [['agent_removed'], ['agent_removed']],
    planned: ['homeless', 'removed'],
    explained: [
      expect.stringMatching(
        /LEAKRIG_AGENT=\S+\/removed\/\.agent-workspace\/T\/a, of a workspace that no longer/,
      ),
    ],
    before: all,
    without: all,
    after: others,
  })
})

test('what is marked for a workspace that may be on a disk that is not mounted is named, and not ended', () => {
  needs('right to mount', spawnSync('unshare', ['-mpf', '--kill-child', 'true']).status === 0 && canMount)
  const stdout = printedInside('-mpf', 'unmounted.ts')
  const unknown = ['circle', 'inFstab', 'linked', 'mountedElsewhere', 'stick']
  const gone = ['alone', 'removed', 'worksInIt']
  expect(JSON.parse(stdout)).toEqual({ problems: [], unknown, gone, planned: gone, running: unknown })
})

describe('a session that the user has grouped with an agent’s counts as the agent’s', () => {
  // tmux names it agent_a-<number>, and nothing in it carries a marker.
  const group = () => {
    rig.tmux('new-session', '-d', '-t', '=agent_a:')
    return rig.sessions().find(name => name.startsWith('agent_a-'))
  }

  test.each([true, false])('while the agent lives, and ends with it (recorded: %s)', async recorded => {
    const ref = await rig.deploy('a', { claude: idle, recorded, marker: false })
    const name = group()
    expect(named([]).sessions).toEqual([[], []])
    const [swept] = sweep('--apply', '--orphans').sweeps
    expect(swept?.unlisted.sessions).toEqual([])
    expect(rig.sessions()).toContain(name)
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
    expect(rig.sessions()).toEqual(['user'])
  })

  test('and stays with the window that the user has opened in it', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    const name = group()
    rig.tmux('new-window', '-d', '-t', `=${name}:`, `echo $$ >${rig.folder}/users.pid; exec sleep 1000`)
    const users = await rig.pid('users')
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
    // Somebody closes what is left of the agent’s own session.
    if (rig.sessions().includes('agent_a')) rig.tmux('kill-session', '-t', '=agent_a:')
    expect(named([users])).toEqual({ sweep: [], status: [], sessions: [[], []] })
    sweep('--apply', '--orphans')
    expect(rig.sessions()).toContain(name)
    expect(isRunning(users)).toBe(true)
  })
})

describe('a marked process whose agent no registry lists', () => {
  test('stays without --orphans, and while it is young', async () => {
    const pid = rig.start('sleep', ['1000'], { LEAKRIG_AGENT: agentMarker(rig.ref('x')) })
    sweep('--apply')
    expect(isRunning(pid)).toBe(true)
    const young = leakrig(['sweep', rig.workspace, '--apply', '--orphans'])
    expect(young.out).toMatch(/processes of agent .*\/x .* are left alone: it is younger than --min-age/)
    expect(isRunning(pid)).toBe(true)
    sweep('--apply', '--orphans')
    expect(isRunning(pid)).toBe(false)
  })

  test('is not ended while a registry cannot be read: it may list the agent', async () => {
    const pid = rig.start('sleep', ['1000'], { LEAKRIG_AGENT: agentMarker(rig.ref('x')) })
    fs.mkdirSync(`${rig.workspace}/TASK-2`)
    fs.writeFileSync(`${rig.workspace}/TASK-2/AGENT_REGISTRY.json`, '{"agents": [{"id": "x"')
    expect(sweep('--apply', '--orphans').exitCode).toBe(3)
    expect(isRunning(pid)).toBe(true)
  })

  test('that has been listed since is left', async () => {
    const ref = rig.ref('x')
    const pid = rig.start('sleep', ['1000'], { LEAKRIG_AGENT: agentMarker(ref) })
    await addAgent(ref, { status: 'running', tmux_session: 'agent_x', started_at: new Date().toISOString() })
    sweep('--orphans')
    expect(isRunning(pid)).toBe(true)
    kill(pid)
    await until('it has ended', () => !isRunning(pid))
  })
})
