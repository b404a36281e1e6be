import { expect, test } from '../harness/index.ts'

test('normal completion', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'completes' })
  await agent.reportsCompleted() // from inside its own pane, over MCP
  await expect(rig).toReturnToBaseline()
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs('completed')
})

test('normal completion of an agent that then leaves by itself', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'exits' })
  await agent.reportsCompleted()
  await expect(rig).toReturnToBaseline()
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs('completed')
})
