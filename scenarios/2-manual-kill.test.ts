import { expect, test } from '../harness/index.ts'

test('manual kill in the middle of the work', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'works' })
  await agent.isKilled()
  await expect(rig).toReturnToBaseline()
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs('terminated')
})
