import { expect, test } from '../harness/index.ts'

test('crash: claude dies in the middle of a line', async ({ rig, bystanders }) => {
  await bystanders.tmuxSession('my-work')
  const agent = await rig.deploy({ persona: 'crashes' })
  await agent.comesToItsEnd()
  await expect(rig).toReturnToBaseline()
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs('crashed', /ended/)
})

test('crash: claude is killed with -9', async ({ rig, bystanders }) => {
  await bystanders.tmuxSession('my-work')
  const agent = await rig.deploy({ persona: 'works' })
  await agent.losesItsClaude()
  await expect(rig).toReturnToBaseline()
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs('crashed', /ended/)
})

test('crash: the process of its pane is killed with -9', async ({ rig, bystanders }) => {
  await bystanders.tmuxSession('my-work')
  const agent = await rig.deploy({ persona: 'works' })
  await agent.losesItsPaneProcess()
  await expect(rig).toReturnToBaseline()
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs('crashed', /pane/)
})

test('crash: its session is ended from outside', async ({ rig, bystanders }) => {
  await bystanders.tmuxSession('my-work')
  const agent = await rig.deploy({ persona: 'works' })
  await agent.losesItsSession()
  await expect(rig).toReturnToBaseline()
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs('crashed', /session|pane/)
})

test('crash: the tmux server is killed with -9', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'works' })
  await agent.losesItsTmuxServer()
  await expect(rig).toReturnToBaseline()
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs('crashed', /server/)
})
