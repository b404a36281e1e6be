import {
  AllBystanders,
  chosenSystem,
  deployCell,
  type EndingName,
  endingNames,
  endings,
  expect,
  expectCleanEnd,
  expectCleanedUp,
  needing,
  nestingObjection,
  restartMachine,
  test,
  tmuxThatKills,
  withTmuxThatKills,
  workElsewhere,
} from '../../harness/index.ts'
import { redWithoutCleanup } from './red-without-cleanup.ts'

const leaks = /expected the sandbox to return to its baseline/

const dyingInDeploy = test
  .extend('prepareSandbox', () => tmuxThatKills)
  .extend('system', async () => withTmuxThatKills(await chosenSystem()))

for (const ending of ['killed', 'crashed'] satisfies EndingName[])
  needing(['report workspace'], dyingInDeploy)(`half deployed × ${ending}`, async ({ rig }) => {
    const bystanders = new AllBystanders(rig)
    await bystanders.plant()
    const agent = await rig.launchHalfDeployed({ persona: 'works' }, session => ({
      id: session.slice('agent_'.length),
    }))
    await rig.ignore('the system that started it was killed', one => rig.isOwnProcess(one))
    await rig.startSystem(await chosenSystem())
    const neighbour = await bystanders.plantAround(agent)
    await redWithoutCleanup(leaks, () => expectCleanEnd({ agent, neighbour }, ending))
  })

needing(['session'])('tmux server dead × crashed', async ({ rig }) => {
  const cell = await deployCell(rig, { shape: {}, ending: 'crashed' }, 'separate')
  await redWithoutCleanup(leaks, async () => {
    await cell.agent.losesItsTmuxServer()
    await expectCleanedUp(cell, 'crashed')
  })
})

needing(['report workspace'])('machine restarted × crashed', async ({ rig }) => {
  // The agent is the first on its server, so that its `$0` and `%0` are the user's after the restart.
  const agent = await rig.deploy({ persona: 'works' })
  await restartMachine(agent)
  await new AllBystanders(rig).plant()
  await rig.startSystem()
  await rig.widenBaseline()
  rig.markEnding('the machine is started again', agent.id)
  await redWithoutCleanup(leaks, () => expectCleanedUp({ agent, neighbour: undefined }, 'crashed'))
})

needing(endingNames.flatMap(name => endings[name].needs))(
  'several at once × every ending',
  async ({ rig }) => {
    const shapes = ['own-session', 'daemon+term-ignored', 'stopped', 'mcp-launcher']
    const bystanders = new AllBystanders(rig)
    await bystanders.plant()
    const agents = await Promise.all(
      endingNames.map((ending, at) =>
        rig.launch({ persona: endings[ending].persona(rig), shape: shapes[at] ?? 'busy' }),
      ),
    )
    await Promise.all(agents.map(agent => rig.waitUntilRunning(agent)))
    const [first] = agents
    const neighbour = first && (await bystanders.plantAround(first))
    await redWithoutCleanup(leaks, async () => {
      await Promise.all(agents.map((agent, at) => endings[endingNames[at] ?? 'killed'].happens(agent)))
      await expect(rig).toReturnToBaseline()
      await expect(agents).toHaveArchivedLogs()
      for (const [at, agent] of agents.entries())
        await expect(agent).toBeRegisteredAs(endings[endingNames[at] ?? 'killed'].status)
      if (neighbour) await expect(neighbour).toBeRegisteredAs('working')
    })
  },
)

const mayNest = test.extend('rights', { scope: 'file' }, () => ({ mayNest: true }))

// A workspace may be shared with a container. What works there is not seen from here, and has not ended.
needing(['report workspace'], mayNest)('agent in another pid namespace × killed', async ({ rig, skip }) => {
  const objection = await nestingObjection(rig)
  if (objection) skip(objection)
  const elsewhere = await workElsewhere(rig)
  const cell = await deployCell(rig, { shape: {}, ending: 'killed' })
  await elsewhere.expectUntouched()
  await redWithoutCleanup(leaks, async () => {
    // Whatever the answer is: nothing may happen to it.
    await rig.askTool('kill_real_agent', { task_id: rig.values.task, agent_id: elsewhere.id })
    await expectCleanEnd(cell, 'killed')
    await elsewhere.expectUntouched()
  })
})
