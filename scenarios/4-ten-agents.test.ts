import { expect, test } from '../harness/index.ts'

const ten = Array.from({ length: 10 }, (_, index) => index)

test('ten agents at once, completing in the same instant', async ({ rig, bystanders }) => {
  await bystanders.tmuxSession('my-work')
  await bystanders.claude('my-claude')
  const neighbour = await rig.deploy({ persona: 'works' })
  await neighbour.stays()

  // Every other id begins with the neighbour's.
  const agents = await Promise.all(ten.map(() => rig.deploy({ persona: 'completes', type: neighbour.id })))
  await Promise.all(agents.map(agent => agent.reportsCompleted()))

  await expect(rig).toReturnToBaseline()
  await expect(agents).toHaveArchivedLogs()
  for (const agent of agents) await expect(agent).toBeRegisteredAs('completed')
  await expect(neighbour).toBeRegisteredAs('working')
})

test('ten agents, one after another', async ({ rig }) => {
  for (const _ of ten) {
    const agent = await rig.deploy({ persona: 'completes' })
    await agent.reportsCompleted()
  }
  await expect(rig).toReturnToBaseline()
  await expect(rig.agents).toHaveArchivedLogs()
})
