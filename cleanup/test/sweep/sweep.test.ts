import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AgentRef, cleanUp, measure, type Sweep } from '../../index.ts'
import { addAgent, agentMarker, layout, readTaskRegistry, updateAgent } from '../../orchestrator.ts'
import type { Action } from '../../sweep/actions.ts'
import { leakrig, leakrigJson } from '../support/cli.ts'
import { isRunning, kill, NO_TRACES, Rig, traces } from '../support/rig.ts'
import { commandWords, RunningCommand } from '../support/run-command.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'
const stubborn = `(setsid bash -c 'trap "" TERM HUP; sleep 1000 & wait' >/dev/null 2>&1 &); ${idle}`

interface Output {
  exitCode: number
  sweeps: Sweep[]
}

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const run = (...args: string[]) => leakrigJson<Output>(['sweep', rig.workspace, '--grace', '1s', ...args])
const names = (actions: readonly Action[]) => actions.map(action => JSON.stringify(action)).sort()
const done = ({ sweeps }: Output) =>
  sweeps.flatMap(({ agents, unlisted }) => [...agents, unlisted].flatMap(one => one.done?.actions ?? []))
const planned = ({ sweeps }: Output) => sweeps.flatMap(({ actions }) => actions)

/** Deploys as the report's system does: no place in tmux, no marker, fields of its own, nothing in the global registry. */
async function deployTheirs(id: string, claude: string): Promise<AgentRef> {
  const entry = { their_field: { depth: [1, 2] }, started_at: '2026-01-01T00:00:00Z' }
  const ref = await rig.deploy(id, { claude, recorded: false, marker: false, entry })
  const file = layout.globalRegistry(rig.workspace)
  const global = JSON.parse(fs.readFileSync(file, 'utf8'))
  delete global.agents[id]
  fs.writeFileSync(file, JSON.stringify({ ...global, their_setting: 7 }))
  return ref
}

test('a dry run names exactly what apply then does, on a workspace as the report’s system leaves it', async () => {
  const completed = await deployTheirs('completed', stubborn)
  const vanished = await deployTheirs('vanished', idle)
  const working = await deployTheirs('working', idle)
  const killed = await rig.deploy('killed', { claude: idle })
  await updateAgent(completed, entry => Object.assign(entry, { status: 'completed' }))
  rig.tmux('kill-session', '-t', '=agent_vanished:')
  kill(rig.entry(killed).tmux?.pane_pid ?? 0)
  await until('they have gone', () => !rig.sessions().some(name => /vanished|killed/.test(name)))
  const orphan = layout.promptFile(rig.ref('nobody'))
  fs.writeFileSync(orphan, 'a prompt')
  rig.tmux('new-session', '-d', '-s', 'agent_unlisted', 'sleep 1000')
  const bystander = rig.start('bash', ['-c', 'sleep 1000; : agent_completed claude'])

  const dry = run('--orphans', '--min-age', '0s')
  expect(dry.exitCode).toBe(0)
  expect(done(dry)).toEqual([])
  expect(rig.sessions().sort()).toEqual(['agent_completed', 'agent_unlisted', 'agent_working', 'user'])
  expect(fs.existsSync(orphan)).toBe(true)
  expect(rig.entry(vanished).status).toBe('running')
  const doing = new Set(planned(dry).map(action => action.do))
  expect([...doing].sort()).toEqual(['archive', 'close', 'end', 'register', 'remove'])

  const shown = leakrig(['sweep', rig.workspace, '--orphans', '--min-age', '0s']).out
  const steps = shown.split('\n').filter(line => /^ +\d+\. close the session/.test(line))
  expect(steps).toHaveLength(2)
  const sums = /--apply would carry out (\d+) actions: (.*)\n$/.exec(shown)
  const counts = sums?.[2]?.match(/\d+/g)?.map(Number) ?? []
  expect(counts.reduce((sum, one) => sum + one, 0)).toBe(Number(sums?.[1]))
  expect(sums?.[2]).toMatch(
    /^end \d+ processes, close 2 sessions, remove \d+ files, archive \d+ files, write \d entries$/,
  )

  const applied = run('--apply', '--orphans', '--min-age', '0s')
  expect(names(done(applied))).toEqual(names(planned(dry)))
  expect(applied.exitCode).toBe(0)
  expect(rig.sessions().sort()).toEqual(['agent_working', 'user'])
  expect(fs.existsSync(orphan)).toBe(false)
  for (const ref of [completed, vanished, killed]) expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(isRunning(bystander)).toBe(true)
  expect(rig.entry(working)).toMatchObject({ status: 'running', their_field: { depth: [1, 2] } })
  expect(rig.entry(vanished)).toMatchObject({
    status: 'crashed',
    reason: expect.stringMatching(/session/),
    their_field: { depth: [1, 2] },
  })
  expect(rig.entry(completed).reason).toBe('its status is completed')
  const global = JSON.parse(fs.readFileSync(layout.globalRegistry(rig.workspace), 'utf8'))
  expect(global).toMatchObject({ their_setting: 7, agents: { completed: { status: 'completed' } } })

  expect(planned(run('--orphans', '--min-age', '0s'))).toEqual([])
})

test('a sweep finishes what a killed cleaner began', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  const since = new Date().toISOString()
  await updateAgent(ref, entry =>
    Object.assign(entry, { status: 'terminated', cleanup: { state: 'pending', since, reason: 'asked' } }),
  )
  const text = leakrig(['sweep', rig.workspace]).out
  expect(text).toMatch(/TASK-1\/a: it is terminated, and its cleanup was begun at .* not finished/)
  expect(text).toMatch(/because pane: tmux started it in pane %\d+/)
  expect(text).toMatch(/nothing was done; --apply would carry out \d+ actions: end .*, write 1 entry\n$/)
  expect(names(done(run('--apply')))).toContainEqual(
    JSON.stringify({ do: 'register', agent: 'TASK-1/a', status: 'terminated' }),
  )
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

test('a process of an agent that was cleaned up already is ended too', async () => {
  const late = await rig.deploy('late', { claude: idle, recorded: false })
  const again = await rig.deploy('again', { claude: idle })
  const quiet = await rig.deploy('quiet', { claude: idle })
  for (const ref of [late, again, quiet]) await cleanUp(ref, { status: 'completed', reason: 'it said so' })
  const entry = rig.entry(quiet)
  // The session of a deploy that was overtaken comes after the cleanup.
  rig.newSession(late, { claude: idle })
  await rig.waitUntilRunning(late)
  rig.start('sleep', ['1000'], { LEAKRIG_AGENT: agentMarker(again) })
  // The user's own session: its name alone does not make it the agent's.
  rig.newSession(quiet, { claude: '' }, ['sleep', '1000'])

  const dry = run()
  expect(dry.sweeps[0]?.agents.map(({ agent, why }) => [agent.agentId, why])).toEqual(
    [late, again].map(({ agentId }) => [
      agentId,
      expect.stringMatching(
        /^it is completed and was cleaned up .* but something of the agent runs again or began later$/,
      ),
    ]),
  )
  expect(rig.entry(late).cleanup?.state).toBe('done')
  const applied = run('--apply')
  expect(names(done(applied))).toEqual(names(planned(dry)))
  expect(applied.exitCode).toBe(0)
  expect([late, again].flatMap(ref => rig.processesOf(ref))).toEqual([])
  expect(rig.sessions().sort()).toEqual(['agent_quiet', 'user'])
  for (const ref of [late, again]) expect(rig.entry(ref).cleanup?.state).toBe('done')
  expect(rig.entry(quiet)).toEqual(entry)
  expect(run('--apply').sweeps[0]?.actions).toEqual([])
})

test('a sweep that is stopped halfway reports what is open, and the next one finishes', async () => {
  const ref = await rig.deploy('a', { claude: stubborn })
  await updateAgent(ref, entry => Object.assign(entry, { status: 'completed' }))
  const running = new RunningCommand(commandWords('sweep', rig.workspace, '--apply', '--grace', '1m'))
  await until('it is at work', () => rig.entry(ref).cleanup?.state === 'pending')
  running.child.kill('SIGINT')
  expect(await running.end()).toMatchObject({
    code: 130,
    out: expect.stringMatching(
      /\n {4}interrupted: 0 actions\nstopped: 0 agents cleaned up .* 1 begun .* 0 not begun\n$/,
    ),
    err: expect.stringMatching(/^leakrig: Stopped\. .* another sweep --apply finishes it\.\n$/),
  })
  expect(rig.entry(ref).cleanup?.state).toBe('pending')
  expect(run('--apply').exitCode).toBe(0)
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

test('leftovers are only shown without --orphans, with the reason when young, and apart when they are another workspace’s', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  const prompt = layout.promptFile(rig.ref('nobody'))
  fs.writeFileSync(prompt, 'a prompt')
  rig.tmux('new-session', '-d', '-s', 'agent_unlisted', 'sleep 1000')
  // This workspace does not list the agent, so that only the marker shows whose its session is.
  const elsewhere = path.join(rig.folder, 'elsewhere')
  fs.mkdirSync(path.join(elsewhere, 'T'), { recursive: true })
  fs.writeFileSync(layout.taskRegistry(elsewhere, 'T'), '{"agents": []}')
  const leftAlone = { kind: 'young', why: expect.stringContaining('younger than --min-age') }
  expect(run('--apply', '--orphans').sweeps[0]).toMatchObject({
    unlisted: { sessions: [{ name: 'agent_unlisted', leftAlone }], prompts: [{ file: prompt, leftAlone }] },
    actions: [],
  })
  const young = leakrig(['sweep', rig.workspace]).out
  expect(young).toMatch(/, 1 live, 0 unlisted, 2 young\n/)
  expect(young).toMatch(/session agent_unlisted .* is left alone: it is younger than --min-age/)
  expect(young).toMatch(/prompt .*nobody.* is left alone: it is younger than --min-age/)
  expect(young).toMatch(/\nnothing to do\n$/)
  const found = run('--apply', '--min-age', '0s')
  expect(found.sweeps[0]?.unlisted).toMatchObject({
    sessions: [{ name: 'agent_unlisted' }],
    prompts: [{ file: prompt }],
  })
  expect(found.exitCode).toBe(0)
  const other = leakrigJson<Output>(['sweep', elsewhere, '--min-age', '0s', '--orphans', '--apply'])
  expect(names(planned(other))).toContainEqual(JSON.stringify({ do: 'close', session: 'agent_unlisted' }))
  expect(rig.sessions().sort()).toEqual(['agent_a', 'user'])
  expect(fs.existsSync(prompt)).toBe(true)
  // Without a marker, the log shows that, and the registry of the other workspace, when it can be read.
  await deployTheirs('theirs', idle)
  const shown = (...more: string[]) =>
    leakrigJson<Output>(['sweep', elsewhere, ...more, '--min-age', '0s']).sweeps[0]?.foreign.map(
      ({ name, workspace }) => [name, workspace],
    )
  const theirs = (name: string) => [name, rig.workspace]
  expect(shown()).toEqual(['agent_a', 'agent_theirs'].map(theirs))
  expect(shown(rig.workspace)).toEqual([])
  fs.writeFileSync(layout.taskRegistry(elsewhere, 'T'), '{')
  expect(shown()).toEqual([])
  expect(rig.processesOf(ref)).toHaveLength(4)
})

test.each(['default', 'other'])(
  'an unlisted session that carries the marker of this workspace is closed, as status counts it: on the %s server',
  async server => {
    const ref = rig.ref('a')
    const socket = server === 'other' ? `${rig.folder}/other` : rig.socket
    const listed = await rig.deploy('listed', { claude: idle, socket })
    rig.newSession(ref, { claude: idle, socket })
    await rig.waitUntilRunning(ref)
    const { sessions } = await measure([rig.workspace])
    expect(sessions?.leftover).toMatchObject([{ name: 'agent_a' }])
    const dry = run('--orphans', '--min-age', '0s')
    expect(names(planned(dry))).toContainEqual(JSON.stringify({ do: 'close', session: 'agent_a' }))
    expect(names(done(run('--apply', '--orphans', '--min-age', '0s')))).toEqual(names(planned(dry)))
    expect(rig.processesOf(ref)).toEqual([])
    expect((await measure([rig.workspace])).sessions).toMatchObject({ active: 1, leftover: [] })
    expect(rig.processesOf(listed)).toHaveLength(4)
  },
)

test('an unlisted session that runs a listed agent, or one of another workspace, is no leftover for sweep or status', async () => {
  const listed = await rig.deploy('listed', { claude: idle, recorded: false })
  const elsewhere = { workspace: `${rig.folder}/else/.agent-workspace`, taskId: 'T', agentId: 'far' }
  fs.mkdirSync(`${elsewhere.workspace}/T/logs`, { recursive: true })
  rig.newSession(elsewhere, { claude: idle })
  rig.tmux('rename-session', '-t', '=agent_listed:', 'agent_renamed')
  await until(
    'both run',
    () => rig.processesOf(elsewhere).length === 4 && rig.processesOf(listed).length === 4,
  )
  expect((await measure([rig.workspace])).sessions?.leftover).toEqual([])
  expect(run('--orphans', '--min-age', '0s').sweeps[0]?.unlisted.sessions).toEqual([])
})

test('a prompt that an entry names is no leftover, nor is a session in which an agent has a window', async () => {
  const named = path.join(path.dirname(layout.promptFile(rig.ref('a'))), 'agent_prompt_second-try.txt')
  fs.writeFileSync(named, 'do this')
  rig.tmux('new-session', '-d', '-s', 'agent_team', 'sleep 1000')
  const entry = { tmux_session: 'agent_team:0', prompt_file: named }
  await rig.deploy('a', { claude: idle, recorded: false, marker: false, entry })
  const found = run('--orphans', '--min-age', '0s', '--apply').sweeps[0]
  expect(found?.unlisted).toMatchObject({ sessions: [], prompts: [] })
  expect(fs.existsSync(named)).toBe(true)
  expect(rig.sessions()).toContain('agent_team')
})

test.each(['Europe/Berlin', 'America/New_York'])(
  'an agent that is being deployed is young, though its start names no zone: %s',
  async zone => {
    const ref = rig.ref('a')
    fs.writeFileSync(layout.promptFile(ref), 'do this')
    // As Python's utcnow() writes it.
    const start = (ms: number) => new Date(Date.now() - ms).toISOString().slice(0, -1)
    const swept = () => leakrig(['sweep', rig.workspace, '--apply'], '/', { TZ: zone }).out
    await addAgent(ref, { status: 'running', started_at: start(0) })
    expect(swept()).toContain('it is younger than --min-age and may still be being deployed')
    expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
    fs.utimesSync(layout.promptFile(ref), 1, 1)
    await updateAgent(ref, entry => Object.assign(entry, { started_at: start(90_000) }))
    swept()
    expect(rig.entry(ref).status).toBe('crashed')
  },
)

test('an agent whose entry has no start, or one that is yet to come, is as old as its prompt and its registry', async () => {
  const starts = [undefined, 'soon', '2999-01-01T00:00:00Z']
  const ids = starts.map((_, n) => `gone-${n}`)
  const registry = {
    agents: starts.map((started_at, n) => ({
      id: ids[n],
      status: 'running',
      tmux_session: `agent_${ids[n]}`,
      started_at,
    })),
  }
  const file = layout.taskRegistry(rig.workspace, 'TASK-1')
  fs.writeFileSync(file, JSON.stringify(registry))
  for (const id of ids) fs.writeFileSync(layout.promptFile(rig.ref(id)), 'a prompt')
  const states = () => run().sweeps.flatMap(({ agents }) => agents.map(({ state }) => state))
  expect(states()).toEqual(['young', 'young', 'young'])
  const before = new Date(Date.now() - 120_000)
  const prompt = layout.promptFile(rig.ref(ids[0] ?? ''))
  fs.utimesSync(prompt, before, before)
  expect(states()).toEqual(['ended', 'young', 'young'])
  fs.utimesSync(file, before, before)
  expect(states()).toEqual(['ended', 'ended', 'ended'])
})

describe('what cannot be read or asked is reported, and the rest is done', () => {
  test('a registry that is cut in half', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    await updateAgent(ref, entry => Object.assign(entry, { status: 'failed' }))
    fs.mkdirSync(path.join(rig.workspace, 'TASK-2'))
    fs.writeFileSync(layout.taskRegistry(rig.workspace, 'TASK-2'), '{"agents": [')
    const found = run('--apply')
    expect(found.exitCode).toBe(3)
    expect(found.sweeps[0]?.problems).toEqual([expect.stringMatching(/TASK-2.* could not be read/)])
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('a tmux server that hangs', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    await updateAgent(ref, entry => Object.assign(entry, { status: 'failed' }))
    const hung = await rig.deploy('hung', { claude: idle, socket: `${rig.folder}/hung` })
    const server = rig.entry(hung).tmux?.server_pid ?? 0
    process.kill(server, 'SIGSTOP')
    const found = run('--apply')
    const text = leakrig(['sweep', rig.workspace]).out
    process.kill(server, 'SIGCONT')
    expect(text).toMatch(/nothing to do in what could be read and queried\n$/)
    expect(found.exitCode).toBe(3)
    expect(found.sweeps[0]?.agents).toContainEqual(
      expect.objectContaining({ state: 'unknown', why: expect.stringMatching(/could not be queried/) }),
    )
    expect(traces(rig, ref)).toEqual(NO_TRACES)
    expect(rig.entry(hung).status).toBe('running')
    expect(isRunning(rig.entry(hung).tmux?.pane_pid ?? 0)).toBe(true)
  })
})

test('entries with ids that no agent may have are refused one by one, and hold up no other', async () => {
  const ids = ['../x', 'a b', "a'b", 'a\nb', '-rf', '$3', '%7', '=user', 'a*', 'a:b.c', '']
  const ref = await rig.deploy('a', { claude: idle })
  const file = layout.taskRegistry(rig.workspace, ref.taskId)
  const registry = readTaskRegistry(rig.workspace, ref.taskId)
  const hostile = ids.flatMap(id => [
    { id, status: 'completed', tmux_session: id, contained: { by: 'tini', pid: 2, start: 3 } },
    { id: `${id}/2`, status: 'running', tmux_session: 'user' },
  ])
  const agents = [...hostile, ...registry.agents.map(one => ({ ...one, status: 'completed' }))]
  fs.writeFileSync(file, JSON.stringify({ ...registry, agents }))
  const found = run('--apply')
  expect(found.exitCode).toBe(1)
  const refused = found.sweeps[0]?.agents.filter(({ state }) => state === 'refused') ?? []
  expect(refused).toHaveLength(hostile.length)
  for (const { why } of refused) expect(why).toMatch(/^The agent id .* is refused: expected .*; .*\.$/s)
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(rig.sessions()).toEqual(['user'])
})

test('a dry run promises nothing that could not be written to the global registry', async () => {
  const ref = await rig.deploy('a', { claude: idle, entry: { status: 'completed' } })
  fs.truncateSync(layout.globalRegistry(ref.workspace), 40)
  const found = run()
  expect(found).toMatchObject({ exitCode: 3, sweeps: [{ actions: [], agents: [{ state: 'unknown' }] }] })
  expect(run('--apply')).toMatchObject({ exitCode: 3, sweeps: [{ actions: [] }] })
  expect(rig.processesOf(ref)).not.toEqual([])
})

test('no workspace, a folder that is none, and wrong options', () => {
  const cases: [string[], RegExp][] = [
    [[], /^leakrig: There is no \.agent-workspace in .*; name the workspace .*\.$/],
    [['nowhere'], /^leakrig: The workspace ".*\/nowhere" does not exist; expected .*\.$/],
    [['/dev/null'], /^leakrig: The workspace "\/dev\/null" is not a folder; expected .*\.$/],
    [[''], /^leakrig: An empty workspace name is refused, .*\.$/],
    [[rig.folder], /^leakrig: .* contains a workspace but is not one itself; name .*\/\.agent-workspace\.$/],
    [
      [rig.workspace, '--min-age', '60'],
      / is refused: expected a duration with its unit \(ms, s, m, h or d\), such as 500ms/,
    ],
  ]
  for (const [args, said] of cases)
    expect(leakrig(['sweep', ...args], path.dirname(rig.socket))).toMatchObject({
      code: 2,
      err: expect.stringMatching(said),
    })
  // As npm runs it: in the project's folder, with the caller's folder in INIT_CWD.
  const root = path.join(import.meta.dirname, '../../..')
  const npm = {
    npm_lifecycle_event: 'leakrig',
    npm_package_json: path.join(root, 'package.json'),
    INIT_CWD: path.dirname(rig.workspace),
  }
  const isSwept = { code: 0, out: expect.stringMatching(/: 1 task, 0 agents to clean up/) }
  expect(leakrig(['sweep'], root, npm)).toMatchObject(isSwept)
  expect(leakrig(['sweep', '.agent-workspace'], root, npm)).toMatchObject(isSwept)
  expect(leakrig(['sweep'], path.dirname(rig.socket), npm)).toMatchObject({ code: 2 })
  expect(leakrig(['sweep'], rig.folder)).toMatchObject({
    code: 0,
    // The machine may have leftovers of others, which every sweep names.
    out: expect.stringMatching(/: 1 task, 0 agents to clean up.*\nnothing (?:to do|was done; .*)\n$/s),
  })
})
