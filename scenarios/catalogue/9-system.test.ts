import {
  Crowd,
  type EndingName,
  endingNames,
  endings,
  endsWell,
  expect,
  inject,
  isAsItWas,
  restartMachine,
  setScene,
  systemCommand,
  test,
  tmuxThatKills,
  withTmuxThatKills,
} from '../../harness/index.ts'
import { provesRed } from './red-without-cleanup.ts'

const leaks = { red: /expected the sandbox to return to its baseline/ }

const dyingInDeploy = test
  .extend('ground', () => tmuxThatKills)
  .extend(
    'system',
    () => places => withTmuxThatKills(systemCommand(inject('leakrig').system, places), places),
  )

for (const ending of ['killed', 'crashed'] satisfies EndingName[])
  dyingInDeploy(`half deployed × ${ending}`, async ({ rig }) => {
    const crowd = new Crowd(rig)
    await crowd.gathers()
    const agent = await rig.launchHalf({ persona: 'works' })
    await rig.excuse('the system that started it was killed', one => rig.isOwnProcess(one))
    await rig.startSystem(systemCommand(inject('leakrig').system, rig.places))
    const neighbour = await crowd.gathersAround(agent)
    await provesRed(leaks, () => endsWell({ agent, neighbour }, ending))
  })

test('tmux server dead × crashed', async ({ rig }) => {
  const scene = await setScene(rig, { shape: {}, ending: 'crashed' }, 'apart')
  await provesRed(leaks, async () => {
    await scene.agent.losesItsTmuxServer()
    await isAsItWas(scene, 'crashed')
  })
})

test('machine restarted × crashed', async ({ rig }) => {
  // The agent is the first on its server: afterwards `$0` and `%0` are the user's.
  const agent = await rig.deploy({ persona: 'works' })
  await restartMachine(agent)
  await new Crowd(rig).gathers()
  await rig.startSystem()
  await rig.widenBaseline()
  rig.ending()
  await provesRed(leaks, () => isAsItWas({ agent, neighbour: undefined }, 'crashed'))
})

test('several at once × every ending', async ({ rig }) => {
  const shapes = ['own-session', 'daemon+term-ignored', 'stopped', 'mcp-launcher']
  const crowd = new Crowd(rig)
  await crowd.gathers()
  const agents = await Promise.all(
    endingNames.map((ending, at) =>
      rig.launch({ persona: endings[ending].persona, shape: shapes[at] ?? 'busy' }),
    ),
  )
  await Promise.all(agents.map(agent => rig.seeAtWork(agent)))
  const [first] = agents
  const neighbour = first && (await crowd.gathersAround(first))
  await provesRed(leaks, async () => {
    await Promise.all(agents.map((agent, at) => endings[endingNames[at] ?? 'killed'].happens(agent)))
    await expect(rig).toReturnToBaseline()
    await expect(agents).toHaveArchivedLogs()
    for (const [at, agent] of agents.entries())
      await expect(agent).toBeRegisteredAs(endings[endingNames[at] ?? 'killed'].status)
    if (neighbour) await expect(neighbour).toBeRegisteredAs('working')
  })
})
