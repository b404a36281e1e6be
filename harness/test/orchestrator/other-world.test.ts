import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Workspace } from '../support/workspace.ts'

test('an agent that was deployed on another machine is neither killed nor registered as ended from here', async () => {
  await using workspace = new Workspace({ T1: { worker: 'orchestrator' } })
  const task = JSON.parse(workspace.read('T1/AGENT_REGISTRY.json'))
  task.agents[0].deployed_on = { host: 'another', boot_id: 'another', pid_namespace: '4026531836' }
  workspace.write('T1/AGENT_REGISTRY.json', task)
  const agent = { task_id: 'T1', agent_id: 'worker' }
  const outer = await workspace.instance('immediate')
  const calls: [string, object][] = [
    ['kill_real_agent', agent],
    ['update_agent_progress', { ...agent, status: 'completed', message: 'it is done' }],
  ]
  for (const [tool, input] of calls)
    expect((await outer.call(tool, { ...input })).error).toMatch(
      /^Agent worker cannot be seen from here .* on another machine .* run this command there/,
    )
  expect((await outer.call('get_agent_output', agent)).said).toMatchObject({
    session_status: 'unknown',
    problem: expect.stringMatching(/^Agent worker cannot be seen from here/),
    output: ['log of worker'],
  })
  expect(workspace.entry('T1/worker')).toMatchObject({ status: 'working' })
  expect(existsSync(join(workspace.path, 'T1/logs/worker_stream.jsonl'))).toBe(true)
})
