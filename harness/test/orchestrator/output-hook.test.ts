import { expect } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { expect as expectRig } from '../../index.ts'
import { test } from '../../rig/fixtures.ts'
import { ownSystem } from '../../systems/systems.ts'

needsNamespaces()

const immediate = test.extend('system', () => ownSystem('immediate'))
const none = test.extend('system', () => ownSystem('none'))

immediate('reading the output of an agent whose session is gone cleans it up', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'works' })
  await agent.losesItsSession()
  const ask = () => rig.callTool('get_agent_output', { task_id: rig.values.task, agent_id: agent.id })
  await expect.poll(ask, { timeout: 20_000 }).toMatchObject({
    session_status: 'terminated',
    cleanup: { outcome: expect.stringMatching(/clean$/) },
  })
  await expectRig(rig).toReturnToBaseline()
  await expectRig(agent).toBeRegisteredAs('crashed', /^its /)
  const after = await ask()
  expect(after).not.toHaveProperty('cleanup')
  expect(after.output).not.toEqual([])
})

immediate('reading the output of a live agent changes nothing', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'works' })
  const answer = await rig.callTool('get_agent_output', { task_id: rig.values.task, agent_id: agent.id })
  expect(answer).toMatchObject({ session_status: 'running' })
  expect(answer).not.toHaveProperty('cleanup')
  expect((await agent.registered()).task?.status).toBe('working')
  await agent.isKilled()
  await expectRig(rig).toReturnToBaseline()
})

none('the report’s system only reports that the session is gone', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'works' })
  await agent.losesItsSession()
  const answer = await rig.callTool('get_agent_output', { task_id: rig.values.task, agent_id: agent.id })
  expect(answer).toMatchObject({ session_status: 'terminated' })
  expect(answer).not.toHaveProperty('cleanup')
  expect((await agent.registered()).task?.status).toBe('working')
})
