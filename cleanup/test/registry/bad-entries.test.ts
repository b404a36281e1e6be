import fs from 'node:fs'
import { beforeEach, expect, test, vi } from 'vitest'
import { explain } from '../../cli/explain.ts'
import { cleanUp, measure, planRetention, runDaemon, sweep } from '../../index.ts'
import type { LogLine } from '../../log.ts'
import { layout } from '../../orchestrator.ts'
import { readAgent } from '../../registry/registry.ts'
import { parsePolicy } from '../../retention/policy.ts'
import { TASK, useTwoDeadAgents } from '../support/two-dead-agents.ts'
import { until } from '../support/until.ts'

const times = { graceMs: 100, minAgeMs: 0 }
const ending = { status: 'terminated', reason: 'a test', graceMs: 100 }

let workspace: string
const workspaceNow = useTwoDeadAgents()
beforeEach(() => {
  workspace = workspaceNow()
})

const task = () => layout.taskRegistry(workspace, TASK)
const read = (file: string) => JSON.parse(fs.readFileSync(file, 'utf8'))
const change = (file: string, edit: (registry: ReturnType<typeof read>) => void): void => {
  const registry = read(file)
  edit(registry)
  fs.writeFileSync(file, JSON.stringify(registry))
}
/** Between the two that are agents. */
const plant = (...values: unknown[]): void => change(task(), ({ agents }) => agents.splice(1, 0, ...values))

const said = () =>
  `The registry ${task()} has 4 invalid entries: number 2 of its agents is null, number 3 of its agents is a list, number 4 of its agents is a string, and 1 more. All others are used; correct or remove them.`
const PLANTED = [null, ['x'], 'x', 7]

test('a sweep reports them, cleans up after the others, and leaves them as they are', async () => {
  plant(...PLANTED)
  const dry = await sweep(workspace, times)
  expect(dry.problems).toEqual([said()])
  expect(dry.agents.map(({ agent, state }) => [agent.agentId, state])).toEqual([
    ['a', 'ended'],
    ['b', 'ended'],
  ])
  const { agents } = await sweep(workspace, { ...times, apply: true })
  expect(agents.map(({ done }) => done?.outcome)).toEqual(['clean', 'clean'])
  const after = read(task())
  expect(after.agents.slice(1, 5)).toEqual(PLANTED)
  expect(after.agents.map((entry: { id?: string } | null) => entry?.id)).toEqual([
    'a',
    undefined,
    undefined,
    undefined,
    undefined,
    'b',
  ])
  expect(after).toMatchObject({ active_count: 0 })
})

test('so do status, metrics and explain', async () => {
  plant(...PLANTED)
  const { problems, workspaces, sessions } = await measure([workspace])
  expect(problems).toEqual([said()])
  expect(workspaces[0]?.agents.map(({ agentId }) => agentId)).toEqual(['a', 'b'])
  // The text may be an agent's id.
  expect(sessions).toBeUndefined()
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  expect(await explain('a', workspace, {})).toBe(3)
  expect(log.mock.calls.join('\n')).toMatch(
    /^agent a of TASK-1 .*\ncould not be read: The registry .* invalid entries: /s,
  )
})

test('so does a daemon, once', async () => {
  plant(...PLANTED)
  const stop = new AbortController()
  const lines: LogLine[] = []
  const running = runDaemon({
    workspaces: [workspace],
    graceMs: 100,
    log: line => lines.push(line),
    signal: stop.signal,
  })
  const isDone = (agentId: string) =>
    readAgent({ workspace, taskId: TASK, agentId }).cleanup?.state === 'done'
  await until('both are clean', () => isDone('a') && isDone('b'))
  stop.abort()
  await running
  expect(lines.filter(({ event }) => event === 'problem').map(({ problem }) => problem)).toEqual([said()])
})

/** An agent under another word, one with a status that no text is made of, and one that is listed by its id alone. */
const MAYBE_C: [unknown, string][] = [
  [{ agent_id: 'c', status: 'running', tmux_session: 'agent_c' }, 'an object without an id'],
  [{ agent_id: 'c', status: { toString: null }, tmux: { toString: null } }, 'an object without an id'],
  ['c', 'a string'],
  [['c'], 'a list'],
]

test.each(MAYBE_C)('%j may be an agent and keeps what it may own', async (value, what) => {
  plant(value)
  const prompt = layout.promptFile({ workspace, taskId: TASK, agentId: 'c' })
  fs.writeFileSync(prompt, 'a prompt\n')
  change(layout.globalRegistry(workspace), ({ agents }) => {
    agents.c = { task_id: TASK, status: 'running', started_at: '2026-01-01T00:00:00Z' }
  })
  const found = await sweep(workspace, times)
  expect(found.problems).toEqual([
    expect.stringContaining(` has an invalid entry: number 2 of its agents is ${what}.`),
  ])
  expect(found).toMatchObject({ unlisted: { sessions: [], prompts: [] }, stale: { entries: [] } })
  expect((await measure([workspace])).sessions).toBeUndefined()
  const archived = layout.archived({ workspace, taskId: TASK, agentId: 'c' }, 'c_stream.jsonl')
  fs.writeFileSync(archived, 'x')
  fs.utimesSync(archived, 0, 0)
  const { files, problems } = await planRetention([workspace], parsePolicy({ keepDays: '0' }))
  expect(files.map(({ action }) => action)).toEqual(['leave'])
  expect(problems).toEqual(found.problems)
})

test('in the global registry they block no cleanup', async () => {
  const file = layout.globalRegistry(workspace)
  change(file, registry => {
    registry.agents.x = null
    registry.agents.a = null
    registry.tasks.y = 'z'
  })
  const problem = `The registry ${file} has 3 invalid entries: "y" of its tasks is a string, "a" of its agents is null, "x" of its agents is null. All others are used; correct or remove them.`
  expect((await sweep(workspace, times)).problems).toEqual([problem])
  expect((await measure([workspace])).problems).toEqual([problem])
  expect(await cleanUp({ workspace, taskId: TASK, agentId: 'a' }, ending)).toMatchObject({ outcome: 'clean' })
  expect(read(file)).toMatchObject({
    tasks: { y: 'z' },
    agents: { a: { status: 'terminated' }, b: { status: 'running' }, x: null },
    active_agents: 1,
  })
})

test('the advice for a task’s registry that cannot be read names the global one only where there is one', async () => {
  fs.truncateSync(task(), 20)
  const advice = 'still has their statuses'
  expect((await measure([workspace])).problems.join()).toContain(advice)
  fs.rmSync(layout.globalRegistry(workspace))
  const problems = (await measure([workspace])).problems.join()
  expect(problems).toContain('.broken: its agents are then not listed.')
  expect(problems).not.toContain(advice)
})

test('a global registry that cannot be read is reported', async () => {
  fs.truncateSync(layout.globalRegistry(workspace), 20)
  const problem = expect.stringMatching(/^The registry .*GLOBAL_REGISTRY.json could not be read: /)
  expect(await measure([workspace])).toMatchObject({ problems: [problem], sessions: { active: 0 } })
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  expect(await explain('a', workspace, {})).toBe(3)
  expect(await explain(String(process.pid), workspace, {})).toBe(3)
  expect(log.mock.calls.map(([text]) => text)).toEqual([
    expect.stringMatching(/\ncould not be read: The registry .*GLOBAL_REGISTRY/),
    expect.stringMatching(/\nnot checked: The registry .*GLOBAL_REGISTRY/),
  ])
})

test('a list with many of them is written back with each in its place', async () => {
  const many = Array.from({ length: 100_000 }, (_, n) => (n % 2 ? n : null))
  plant(...many.slice(0, 50_000))
  change(task(), ({ agents }) => agents.push(...many.slice(50_000)))
  change(layout.globalRegistry(workspace), ({ agents }) => {
    for (let n = 0; n < 10_000; n++) agents[`x${n}`] = n
  })
  const before = read(task()).agents
  const namesBefore = Object.keys(read(layout.globalRegistry(workspace)).agents)
  expect(await cleanUp({ workspace, taskId: TASK, agentId: 'b' }, ending)).toMatchObject({ outcome: 'clean' })
  const after = read(task()).agents
  expect(after.map((one: { id: string }, n: number) => one?.id ?? before[n])).toEqual(
    before.map((one: { id: string }) => one?.id ?? one),
  )
  expect(Object.keys(read(layout.globalRegistry(workspace)).agents)).toEqual(namesBefore)
})
