import { expect, scenario } from '../harness/index.ts'

scenario(
  'ten agents: seven complete at once, three one after another',
  ['completion', 'eleven agents'],
  async ({ rig, bystanders }) => {
    await bystanders.tmuxSession('my-work')
    await bystanders.claude('my-claude')
    const neighbour = await rig.deploy({ persona: 'works' })
    await neighbour.stays()

    // Ten at once, and every id begins with the neighbour's.
    const persona = rig.personaToComplete
    const ten = Array.from({ length: 10 }, () => rig.deploy({ persona, type: neighbour.id }))
    const agents = await Promise.all(ten)
    await Promise.all(agents.slice(0, 7).map(agent => agent.completes()))
    for (const agent of agents.slice(7)) await agent.completes()

    await expect(rig).toReturnToBaseline()
    await expect(agents).toHaveArchivedLogs() // ten sets, and no other
    for (const agent of agents) await expect(agent).toBeRegisteredAs('completed')
    await expect(neighbour).toBeRegisteredAs('working')
  },
)
