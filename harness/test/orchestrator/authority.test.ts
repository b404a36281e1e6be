import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Orchestrator } from '../support/orchestrator.ts'
import { Workspace } from '../support/workspace.ts'

const strategies = ['none', 'immediate', 'report-option-1'] as const

/** The instance's agent is `T1/worker`, which `boss` deployed. It deployed `child`, which deployed `grandchild`. */
const tasks = {
  T1: {
    boss: 'orchestrator',
    worker: 'boss',
    sibling: 'boss',
    child: 'T1/worker',
    grandchild: 'child',
    // A circle of other agents, a missing parent, and parents that are not valid names.
    chicken: 'egg',
    egg: 'chicken',
    lost: 'gone',
    odd: '../T1/worker',
    odder: 'T1/worker/',
  },
  T2: { worker: 'orchestrator', other: 'worker', 'far-child': 'T1/worker' },
  T3: { stray: 'orchestrator' },
  T4: {},
}
const created = { T3: { created_by: 'T2/other' }, T4: { created_by: 'T1/grandchild' } }

const strangers = [
  'T1/boss',
  'T1/sibling',
  'T1/chicken',
  'T1/lost',
  'T1/odd',
  'T1/odder',
  'T1/nobody',
  'T2/worker',
  'T2/other',
  'T3/stray',
]
const own = ['T1/child', 'T1/grandchild', 'T2/far-child']

const calls: [string, Record<string, unknown>][] = [
  ['update_agent_progress', { status: 'completed', message: 'I say so', progress: 100 }],
  ['update_agent_progress', { status: 'blocked', message: 'I say so' }],
  ['report_agent_finding', { finding_type: 'x', severity: 'low', message: 'I say so' }],
  ['kill_real_agent', { reason: 'I want to' }],
  ['get_agent_output', {}],
]

const refused =
  /^This orchestrator runs inside agent T1\/worker and acts for it and for the agents that it deployed, not for [^\n]+; use [^\n]+\.$/

const idsOf = (agent: string) => {
  const [task_id, agent_id] = agent.split('/')
  return { task_id, agent_id }
}

describe.for(strategies)('inside an agent, with the strategy %s', strategy => {
  test('no tool acts for another agent', async () => {
    await using workspace = new Workspace(tasks, created)
    const inside = await workspace.inside(strategy, 'T1/worker')
    const before = workspace.everything()
    for (const stranger of strangers)
      for (const [tool, args] of calls) {
        const { isError, error } = await inside.call(tool, { ...idsOf(stranger), ...args })
        expect({ isError, error }, `${tool} on ${stranger}`).toEqual({
          isError: true,
          error: expect.stringMatching(refused),
        })
      }
    expect(workspace.everything()).toEqual(before)
  })

  test('it acts for itself and for its descendants', async () => {
    await using workspace = new Workspace(tasks, created)
    const inside = await workspace.inside(strategy, 'T1/worker')
    for (const agent of ['T1/worker', ...own]) {
      const output = await inside.call('get_agent_output', idsOf(agent))
      expect(output.said, agent).toMatchObject({ output: [`log of ${agent.split('/')[1]}`] })
    }
    // With our strategies, reading the output of an agent without a session ends it.
    await using again = new Workspace(tasks, created)
    const inside2 = await again.inside(strategy, 'T1/worker')
    for (const agent of ['T1/worker', ...own]) {
      const ids = idsOf(agent)
      const progress = { ...ids, status: 'busy', message: 'x', progress: 7 }
      expect((await inside2.call('update_agent_progress', progress)).error, agent).toBe('')
      expect(again.entry(agent)).toMatchObject({ status: 'busy', progress: 7 })
      const finding = { ...ids, finding_type: 'x', severity: 'low', message: 'seen' }
      expect((await inside2.call('report_agent_finding', finding)).isError, agent).toBe(false)
      expect(again.read(`${ids.task_id}/findings/${ids.agent_id}_findings.jsonl`)).toContain('seen')
    }
    for (const agent of own) {
      expect((await inside2.call('kill_real_agent', idsOf(agent))).isError, agent).toBe(false)
      expect(again.entry(agent).status).toBe('terminated')
    }
  })

  test('it reads and deploys into its own task and those that it or its agents created, and no other', async () => {
    await using workspace = new Workspace(tasks, created)
    const inside = await workspace.inside(strategy, 'T1/worker')
    for (const task_id of ['T1', 'T4'])
      expect((await inside.call('get_real_task_status', { task_id })).isError, task_id).toBe(false)
    const before = workspace.everything()
    const deploy = { agent_type: 'spy', prompt: 'x', parent: 'orchestrator' }
    for (const task_id of ['T2', 'T3', 'T9'])
      for (const [tool, args] of [
        ['get_real_task_status', {}],
        ['deploy_headless_agent', deploy],
      ] as const) {
        const { error } = await inside.call(tool, { task_id, ...args })
        expect(error, `${tool} in ${task_id}`).toMatch(
          /^This orchestrator runs inside agent T1\/worker and works in [^\n]+, not in T\d; [^\n]+\.$/,
        )
      }
    expect(workspace.everything()).toEqual(before)
    const { said } = await inside.call('create_real_task', { description: 'mine' })
    const task_id = String(said.task_id)
    expect(JSON.parse(workspace.read(`${task_id}/AGENT_REGISTRY.json`))).toMatchObject({
      created_by: 'T1/worker',
    })
    expect((await inside.call('get_real_task_status', { task_id })).isError).toBe(false)
  })

  test('the outer instance acts for all', async () => {
    await using workspace = new Workspace(tasks, created)
    const outside = await workspace.instance(strategy)
    for (const agent of ['T1/boss', 'T1/chicken', 'T1/lost', 'T2/worker', 'T3/stray']) {
      const ids = idsOf(agent)
      const progress = { ...ids, status: 'busy', message: 'x' }
      expect((await outside.call('update_agent_progress', progress)).isError, agent).toBe(false)
      const finding = { ...ids, finding_type: 'x', severity: 'low', message: 'seen' }
      expect((await outside.call('report_agent_finding', finding)).isError, agent).toBe(false)
      expect((await outside.call('get_agent_output', ids)).said, agent).toHaveProperty('output')
    }
    expect((await outside.call('kill_real_agent', idsOf('T1/sibling'))).isError).toBe(false)
    expect((await outside.call('get_real_task_status', { task_id: 'T2' })).isError).toBe(false)
  })
})

/** Markers that name no agent of this workspace, made from its folder. */
const nobodies: [string, (workspace: string) => string][] = [
  ['an empty one', () => ''],
  ['one that is no path', () => 'worker'],
  ['one with ids that make no path', workspace => `${workspace}/T1/..`],
  ['one of an agent that is not there', workspace => `${workspace}/T1/nobody`],
  ['one of a task that is not there', workspace => `${workspace}/T9/worker`],
  ['one of another workspace', workspace => `${join(workspace, '../other')}/T1/worker`],
]

const refusal =
  /^This orchestrator [^\n]+ acts for no agent; [^\n]+\.$|T9\/AGENT_REGISTRY.json could not be read: /

test.for(nobodies)('an instance with a wrong marker acts for no agent: %s', async ([, marker]) => {
  await using workspace = new Workspace(tasks, created)
  const instance: Orchestrator = await workspace.instance('immediate', marker(workspace.path))
  const before = workspace.everything()
  for (const [tool, args] of calls)
    for (const agent of ['T1/worker', 'T1/child', 'T1/nobody'])
      expect((await instance.call(tool, { ...idsOf(agent), ...args })).error, tool).toMatch(refusal)
  expect((await instance.call('create_real_task', { description: 'x' })).error).toMatch(refusal)
  expect((await instance.call('get_real_task_status', { task_id: 'T1' })).error).toMatch(refusal)
  const deploy = { task_id: 'T1', agent_type: 'spy', prompt: 'x' }
  expect((await instance.call('deploy_headless_agent', deploy)).error).toMatch(refusal)
  expect(workspace.everything()).toEqual(before)
})

test('a marker with a linked path to the workspace names the same agent', async () => {
  await using workspace = new Workspace(tasks, created)
  const link = join(workspace.folder, 'link')
  symlinkSync(workspace.path, link)
  const inside = await workspace.instance('immediate', `${link}/T1/worker`)
  expect((await inside.call('get_real_task_status', { task_id: 'T1' })).error).toBe('')
  expect((await inside.call('kill_real_agent', idsOf('T1/sibling'))).error).toMatch(refused)
})
