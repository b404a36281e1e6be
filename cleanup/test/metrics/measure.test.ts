import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cleanUp, recordIntent } from '../../index.ts'
import { diskUse } from '../../metrics/disk-use.ts'
import { measure } from '../../metrics/measure.ts'
import { oldestPendingSeconds } from '../../metrics/measurement.ts'
import { agentMarker, layout, updateAgent } from '../../orchestrator.ts'
import { Rig, readText } from '../support/rig.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const measured = () => measure([rig.workspace])
const rows = async () => (await measured()).workspaces[0]?.agents ?? []
const leftovers = async () =>
  (await measured()).processes?.leftovers.filter(({ pid }) => rig.isOwn(pid)) ?? []

test('an agent’s row has the processes that a cleanup would claim', async () => {
  const ref = await rig.deploy('a', { claude: `head -c 3000 /dev/zero | tr '\\0' x; echo; ${idle}` })
  await rig.waitUntilRunning(ref)
  const [row] = await rows()
  expect(row).toMatchObject({
    ...ref,
    status: 'running',
    state: 'live',
    session: true,
    processes: 4,
    unknown: false,
  })
  expect(row?.logBytes).toBe(fs.statSync(layout.streamLog(ref)).size)
  expect(row?.lastOutputMs).toBe(fs.statSync(layout.streamLog(ref)).mtimeMs)
  expect(row?.since).toBe(rig.entry(ref).started_at)
  // The kernel's own figures for the same processes.
  const pids = rig.processesOf(ref).map(line => line.split(' ')[0])
  const kilobytes = pids.map(pid => Number(/VmRSS:\s+(\d+)/.exec(readText(`/proc/${pid}/status`))?.[1]))
  const sum = kilobytes.reduce((all, one) => all + one, 0) * 1024
  expect(row?.rssBytes).toBeGreaterThan(0.8 * sum)
  expect(row?.rssBytes).toBeLessThan(1.2 * sum)
})

test('between its end and its cleanup an agent is pending, and its session counts as ended', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  await rig.waitUntilRunning(ref)
  await recordIntent(ref, { status: 'completed', reason: 'x' })
  const found = await measured()
  expect(found.sessions).toMatchObject({ active: 0, ended: 1, leftover: [] })
  expect(found.workspaces[0]?.agents).toMatchObject([{ state: 'pending', session: true, processes: 4 }])
  expect(oldestPendingSeconds(found.workspaces[0]?.agents ?? [], found.atMs + 60_000)).toBeGreaterThanOrEqual(
    60,
  )

  await cleanUp(ref, { status: 'completed', reason: 'x', graceMs: 1_000 })
  const after = await measured()
  expect(after.workspaces[0]?.agents).toMatchObject([{ state: 'done', problems: [] }])
  expect(after.workspaces[0]?.agents[0]).not.toHaveProperty('processes')
  expect(after.sessions).toMatchObject({ active: 0, ended: 0, leftover: [] })
  expect(after.processes).toMatchObject({ ofAgents: 0, rssBytes: 0 })
  expect(await leftovers()).toEqual([])
  expect(oldestPendingSeconds(after.workspaces[0]?.agents ?? [], after.atMs)).toBe(0)
})

test('the problems of an unfinished cleanup are in the row', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  await updateAgent(ref, entry => {
    entry.status = 'completed'
    entry.cleanup = {
      state: 'pending',
      since: '2025-01-01T00:00:00Z',
      reason: 'x',
      problems: ['The disk is full.'],
    }
  })
  expect(await rows()).toMatchObject([{ state: 'pending', problems: ['The disk is full.'], unknown: false }])
})

describe('a process that no future cleanup will end is a leftover', () => {
  const done = (ref: Parameters<typeof updateAgent>[0]) =>
    updateAgent(ref, entry => {
      entry.status = 'completed'
      entry.cleanup = { state: 'done', since: '2025-01-01T00:00:00Z', reason: 'x' }
    })

  test('by the marker of an agent whose cleanup is done', async () => {
    const ref = await rig.deploy('a', { claude: idle, recorded: false })
    expect(await leftovers()).toEqual([])
    await done(ref)
    const found = await until('all are found under their final names', async () => {
      const all = await leftovers()
      return (
        isDeepStrictEqual(all.map(({ comm }) => comm).toSorted(), ['bash', 'bash', 'sleep', 'tee']) && all
      )
    })
    expect(found[0]?.why).toContain('LEAKRIG_AGENT=')
    expect(found[0]?.rssBytes).toBeGreaterThan(0)
  })

  test('by its tmux session, without a marker', async () => {
    const ref = await rig.deploy('a', { claude: `setsid sleep 999 >/dev/null & ${idle}`, marker: false })
    await done(ref)
    rig.tmux('rename-session', '-t', '=agent_a:', 'renamed')
    const expected = ['bash', 'bash', 'sleep', 'sleep', 'tee']
    const found = await until('all are found under their final names', async () => {
      const all = await leftovers()
      return isDeepStrictEqual(all.map(({ comm }) => comm).toSorted(), expected) && all
    })
    expect(found[0]?.why).toContain('TMUX_PANE=')
  })

  test('by the log that it writes, and by a session that belongs to no listed agent', async () => {
    const ref = await rig.deploy('a', { claude: idle, marker: false, recorded: false })
    await done(ref)
    rig.tmux('rename-session', '-t', '=agent_a:', 'renamed')
    expect(await leftovers()).toMatchObject([{ comm: 'tee', why: `it writes ${layout.streamLog(ref)}` }])
    rig.tmux('rename-session', '-t', '=renamed:', 'agent_z')
    const found = await until('all are found', async () => {
      const all = await leftovers()
      return all.length === 4 && all
    })
    expect(found[0]?.why).toContain('agent_*')
  })

  test('but not the tmux server, which may bear the marker, nor a process without a trace', async () => {
    // A server that an agent's process starts inherits the agent's marker.
    const marker = agentMarker(rig.ref('a'))
    process.env.LEAKRIG_AGENT = marker
    const ref = await rig
      .deploy('a', { claude: idle, socket: `${rig.folder}/own` })
      .finally(() => delete process.env.LEAKRIG_AGENT)
    await until('it stands', () => rig.processesOf(ref).length === 5)
    const server = rig.entry(ref).tmux?.server_pid ?? 0
    expect(readText(`/proc/${server}/environ`)).toContain(`LEAKRIG_AGENT=${marker}`)
    await done(ref)
    rig.start('sleep', ['1000'])
    const found = await leftovers()
    expect(found).toHaveLength(4)
    expect(found.map(({ pid }) => pid)).not.toContain(server)
  })
})

test('the session of an agent in another workspace is not a leftover', async () => {
  const elsewhere = { workspace: `${rig.folder}/else/.agent-workspace`, taskId: 'T', agentId: 'far' }
  fs.mkdirSync(`${elsewhere.workspace}/T/logs`, { recursive: true })
  rig.newSession(elsewhere, { claude: idle })
  await until('it runs', () => readText(layout.streamLog(elsewhere)).includes('ready'))
  expect(await measured()).toMatchObject({ sessions: { leftover: [] } })
  expect(await leftovers()).toEqual([])
})

describe('what could not be read is a problem, and its figures are unknown', () => {
  test('a tmux server that does not answer', async () => {
    const ref = await rig.deploy('a', { claude: idle, socket: `${rig.folder}/own` })
    await rig.waitUntilRunning(await rig.deploy('b', { claude: idle }))
    const server = rig.entry(ref).tmux?.server_pid ?? 0
    process.kill(server, 'SIGSTOP')
    try {
      const found = await measured()
      const [a, b] = found.workspaces[0]?.agents ?? []
      expect(a).toMatchObject({ unknown: true, problems: [expect.stringContaining('could not be queried')] })
      expect(a).not.toHaveProperty('session')
      expect(b).toMatchObject({ unknown: false, session: true, processes: 4 })
      expect(found).toMatchObject({ sessions: undefined, processes: undefined })
      expect(found.problems.join()).toContain('could not be queried')
    } finally {
      process.kill(server, 'SIGCONT')
    }
  })

  test('a registry that does not parse: its agents do not count as leftovers', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    fs.writeFileSync(layout.taskRegistry(rig.workspace, ref.taskId), '{"agents": [')
    const found = await measured()
    expect(found).toMatchObject({ sessions: undefined, processes: undefined })
    expect(found.problems).toEqual([expect.stringContaining('not whole JSON')])
    expect(found.workspaces[0]?.disk?.classes.prompt.files).toBe(1)
  })

  test('an id that leaves the workspace, and a missing workspace', async () => {
    await rig.deploy('a', { claude: idle })
    const file = layout.taskRegistry(rig.workspace, 'TASK-1')
    fs.writeFileSync(file, readText(file).replace('"id": "a"', '"id": "../../a"'))
    const found = await measure([rig.workspace, `${rig.folder}/nowhere`])
    expect(found.workspaces[0]?.agents).toMatchObject([{ unknown: true }])
    expect(found.problems.join()).toMatch(/is refused.*does not exist/)
    expect(found.workspaces[1]).toMatchObject({ agents: [], disk: undefined })
  })
})

test('a relative workspace is refused', async () => {
  await expect(measure(['relative'])).rejects.toThrow('expected an absolute path')
})

test('folders nested deeper than a path can be long do not hide the others', async () => {
  const name = 'd'.repeat(200)
  const nest = `for n in $(seq 25); do mkdir ${name} && cd -P ${name} || exit 1; done`
  expect(spawnSync('sh', ['-c', nest], { cwd: rig.workspace }).status).toBe(0)
  const { classes, problems } = await diskUse(rig.workspace)
  expect(classes.folder.files).toBeGreaterThan(15)
  expect(problems).toEqual([expect.stringMatching(/could not be listed.*ENAMETOOLONG/s)])
  spawnSync('rm', ['-rf', name], { cwd: rig.workspace })
})
