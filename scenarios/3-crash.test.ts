import { expect, scenario } from '../harness/index.ts'

scenario('crash: one claude dies in mid-line, another gets kill -9', [], async ({ rig, bystanders }) => {
  await bystanders.tmuxSession('my-work')
  const [midLine, killed] = await Promise.all([
    rig.deploy({ persona: 'crashes' }),
    rig.deploy({ persona: 'works' }),
  ])
  await midLine.crashesByItself()
  await killed.losesItsClaude()
  await expect(rig).toReturnToBaseline() // nobody asks for it: the daemon notices
  await expect([midLine, killed]).toHaveArchivedLogs()
  await expect(midLine).toBeRegisteredAs('crashed', /its pane's process/)
  await expect(killed).toBeRegisteredAs('crashed', /its pane's process/)
})

scenario(
  'crash: the process of one pane gets kill -9, a session is ended',
  ['session'],
  async ({ rig, bystanders }) => {
    await bystanders.tmuxSession('my-work')
    const [withoutPaneProcess, withoutSession] = await Promise.all([
      rig.deploy({ persona: 'works' }),
      rig.deploy({ persona: 'works' }),
    ])
    await withoutPaneProcess.losesItsPaneProcess()
    await withoutSession.losesItsSession()
    await expect(rig).toReturnToBaseline()
    await expect([withoutPaneProcess, withoutSession]).toHaveArchivedLogs()
    await expect(withoutPaneProcess).toBeRegisteredAs('crashed', /its pane's process/)
    await expect(withoutSession).toBeRegisteredAs('crashed', /its pane's process|its tmux session/)
  },
)

scenario('crash: the tmux server gets kill -9', ['session'], async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'works' })
  await agent.losesItsTmuxServer()
  await expect(rig).toReturnToBaseline()
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs('crashed', /its tmux server/)
})
