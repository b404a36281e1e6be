import { expect, test } from 'vitest'
import { Workspace } from '../support/workspace.ts'

const ids = { task_id: 'T1', agent_id: 'worker' }
const finding = { ...ids, finding_type: 'x', severity: 'low', message: 'x' }
const progress = { ...ids, status: 'busy', message: 'x' }
const deploy = { task_id: 'T1', agent_type: 'helper', prompt: 'x' }
const MEGABYTE = 'x'.repeat(1 << 20)

const tooMuch: [string, string, Record<string, unknown>][] = [
  ['a long agent id', 'kill_real_agent', { ...ids, agent_id: MEGABYTE }],
  ['a long task id', 'get_real_task_status', { task_id: MEGABYTE }],
  ['a long reason', 'kill_real_agent', { ...ids, reason: MEGABYTE }],
  ['a long status', 'update_agent_progress', { ...progress, status: MEGABYTE }],
  ['a status with a terminal’s commands', 'update_agent_progress', { ...progress, status: '\x1b[2J' }],
  ['a status of two lines', 'update_agent_progress', { ...progress, status: 'a\nb' }],
  ['a long message', 'update_agent_progress', { ...progress, message: MEGABYTE }],
  ['a long finding type', 'report_agent_finding', { ...finding, finding_type: MEGABYTE }],
  ['a long severity', 'report_agent_finding', { ...finding, severity: MEGABYTE }],
  ['long data', 'report_agent_finding', { ...finding, data: { text: MEGABYTE } }],
  ['deep data', 'report_agent_finding', { ...finding, data: nested(21) }],
  ['very deep data', 'report_agent_finding', { ...finding, data: nested(2_000) }],
  ['many lines', 'get_agent_output', { ...ids, lines: 10_001 }],
  ['a long type', 'deploy_headless_agent', { ...deploy, agent_type: 'x'.repeat(101) }],
  ['a type that tmux reads', 'deploy_headless_agent', { ...deploy, agent_type: 'a:b' }],
  ['a type that is an option', 'deploy_headless_agent', { ...deploy, agent_type: '-x' }],
  [
    'a prompt that no process can be given',
    'deploy_headless_agent',
    { ...deploy, prompt: 'x'.repeat(130_000) },
  ],
  ['a parent that is a path', 'deploy_headless_agent', { ...deploy, parent: '../../T1/worker' }],
  ['a long parent', 'deploy_headless_agent', { ...deploy, parent: MEGABYTE }],
  ['a long description', 'create_real_task', { description: MEGABYTE }],
  ['a long priority', 'create_real_task', { description: 'x', priority: MEGABYTE }],
]

test('every input has a limit', async () => {
  await using workspace = new Workspace({ T1: { worker: 'orchestrator' } })
  const instance = await workspace.instance('none')
  const before = workspace.everything()
  for (const [what, tool, args] of tooMuch) {
    const { isError, error } = await instance.call(tool, args)
    expect({ isError, error }, what).toEqual({
      isError: true,
      error: expect.stringMatching(/^[^\n]{10,400}$/),
    })
  }
  expect(workspace.everything()).toEqual(before)
  const allowed = { ...finding, data: { ...nested(19), text: 'x'.repeat(100_000) } }
  expect((await instance.call('report_agent_finding', allowed)).error).toBe('')
})

/** An object with so many levels. */
function nested(levels: number): Record<string, unknown> {
  return levels === 1 ? {} : { in: nested(levels - 1) }
}
