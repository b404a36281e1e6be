import { expect, scenario } from '../harness/index.ts'

scenario('normal completion', ['completes.inside'], async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'completes' })
  await agent.reportsCompleted() // from inside its own pane
  await expect(rig).toReturnToBaseline()
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs('completed')
})

scenario(
  'normal completion of an agent that then leaves by itself',
  ['completes.inside'],
  async ({ rig }) => {
    const agent = await rig.deploy({ persona: 'exits' })
    await agent.reportsCompleted()
    await expect(rig).toReturnToBaseline()
    await expect(agent).toHaveArchivedLogs()
    await expect(agent).toBeRegisteredAs('completed')
  },
)
