import { expect, scenario } from '../harness/index.ts'

scenario('manual kill in the middle of the work', ['kill'], async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'works' })
  await agent.isKilled()
  await expect(rig).toReturnToBaseline()
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs('terminated')
})
