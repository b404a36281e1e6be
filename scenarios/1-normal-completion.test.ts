import { expect, scenario } from '../harness/index.ts'

scenario('normal completion', ['completion'], async ({ rig }) => {
  // It has a background task, and so it stays. Where its exit is the completion, it is a version that ends the task and exits.
  const agent = await rig.deploy({ persona: 'completes', ...(rig.definition.exit && { profile: 'mid' }) })
  await agent.completes() // from inside its own pane: it reports that, or its claude exits
  await expect(rig).toReturnToBaseline()
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs('completed')
})

scenario('normal completion of an agent that then leaves by itself', ['completion'], async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'exits' })
  await agent.completes()
  await expect(rig).toReturnToBaseline()
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs('completed')
})
