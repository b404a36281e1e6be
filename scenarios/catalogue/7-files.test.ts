import {
  cutRegistry,
  endings,
  endsWell,
  expect,
  fillDisk,
  isAsItWas,
  keepsFiles,
  leaveStaleLocks,
  linkArchiveOutside,
  mountDisk,
  mountObjection,
  test as plainTest,
  setScene,
  staysUntouched,
} from '../../harness/index.ts'
import { matrix } from './matrix.ts'
import { provesRed } from './red-without-cleanup.ts'

const test = plainTest.extend('rights', { scope: 'file' }, () => ({ mayMount: true }))

const logs = ['stream log', 'progress'] as const
const claudeIsGone = { killed: 'claude ends itself', crashed: 'it is claude that was killed' }

matrix(
  [
    {
      name: 'stale locks',
      directive: {},
      before: ({ rig }) => leaveStaleLocks(rig),
      traces: [['process', /^claude /]],
      outlives: claudeIsGone,
    },
    {
      name: 'archive on another device',
      directive: {},
      objection: mountObjection,
      before: ({ rig, taskId }) => mountDisk(rig, `${rig.places.workspace}/${taskId}/archive`, 1024),
      traces: [['process', /^claude /]],
      outlives: claudeIsGone,
    },
  ],
  test,
)

test('registry cut in half × killed', async ({ rig }) => {
  const scene = await setScene(rig, { shape: {}, ending: 'killed' })
  await provesRed({ red: /Unterminated string/ }, async () => {
    const registry = await cutRegistry(rig)
    await staysUntouched(scene.agent, async () => {
      expect(await scene.agent.killIsRefused()).toMatch(/AGENT_REGISTRY\.json/)
    })
    await registry.mend()
    await endsWell(scene, 'killed')
  })
})

test('registry cut in half × crashed', async ({ rig }) => {
  const scene = await setScene(rig, { shape: {}, ending: 'crashed' })
  await provesRed({ red: /expected the sandbox to return to its baseline/ }, async () => {
    const registry = await cutRegistry(rig)
    await endings.crashed.happens(scene.agent)
    await keepsFiles(scene.agent, ['prompt', ...logs])
    await registry.mend()
    await isAsItWas(scene, 'crashed') // nobody asks for it
  })
})

test('archive linked out of the workspace × killed', async ({ rig }) => {
  const scene = await setScene(rig, { shape: {}, ending: 'killed' })
  await provesRed({ red: /kill_real_agent was to be refused/ }, async () => {
    const { outside, mend } = await linkArchiveOutside(scene.agent)
    await staysUntouched(scene.agent, async () => {
      expect(await scene.agent.killIsRefused()).toMatch(/outside/)
    })
    expect((await rig.probe.collect(outside)).map(({ path }) => path)).toEqual([])
    await mend()
    await endsWell(scene, 'killed')
  })
})

test('archive linked out of the workspace × completes from inside', async ({ rig }) => {
  const scene = await setScene(rig, { shape: {}, ending: 'completes from inside' })
  await provesRed({ red: /is completed already/ }, async () => {
    const { outside, mend } = await linkArchiveOutside(scene.agent)
    await staysUntouched(scene.agent, () => scene.agent.reportsCompleted())
    expect((await rig.probe.collect(outside)).map(({ path }) => path)).toEqual([])
    await mend()
    await endsWell(scene, 'completes from outside') // somebody says it again
  })
})

// The system is on it from its start: its registries, its daemon's log, the agents' logs.
const onSmallDisk = test.extend('ground', () => async (probe, { work }) => {
  await mountDisk({ probe }, work, 4096).catch(() => {})
})

onSmallDisk('full disk × killed', async ({ rig, skip }) => {
  const objection = await mountObjection(rig)
  if (objection) skip(objection)
  const scene = await setScene(rig, { shape: {}, ending: 'killed' })
  await provesRed({ red: /kill_real_agent was to be refused/ }, async () => {
    const disk = await fillDisk(rig, rig.places.work)
    await staysUntouched(scene.agent, async () => {
      expect(await scene.agent.killIsRefused()).toMatch(/no space left|ENOSPC/i)
    })
    await disk.empty()
    await endsWell(scene, 'killed')
  })
})

onSmallDisk('full disk × crashed', async ({ rig, skip }) => {
  const objection = await mountObjection(rig)
  if (objection) skip(objection)
  const scene = await setScene(rig, { shape: {}, ending: 'crashed' })
  await provesRed({ red: /expected the sandbox to return to its baseline/ }, async () => {
    const disk = await fillDisk(rig, rig.places.work)
    await endings.crashed.happens(scene.agent)
    await keepsFiles(scene.agent, ['prompt', ...logs])
    await disk.empty()
    await isAsItWas(scene, 'crashed') // nobody asks for it
  })
})

test('archive on a full device × killed', async ({ rig, skip }) => {
  const objection = await mountObjection(rig)
  if (objection) skip(objection)
  const scene = await setScene(rig, { shape: {}, ending: 'killed' })
  await provesRed({ red: /expected the sandbox to return to its baseline/ }, async () => {
    const archive = `${rig.places.workspace}/${scene.agent.taskId}/archive`
    await mountDisk(rig, archive, 64)
    const disk = await fillDisk(rig, archive)
    await rig.probe.callTool('kill_real_agent', { task_id: rig.taskId, agent_id: scene.agent.id })
    await keepsFiles(scene.agent, [...logs])
    await disk.empty()
    await endsWell(scene, 'killed') // somebody asks again
  })
})
