import {
  cutRegistry,
  deleteLog,
  deployCell,
  endings,
  expect,
  expectCleanEnd,
  expectCleanedUp,
  expectFilesKept,
  expectUntouched,
  fillDisk,
  leaveStaleLocks,
  linkArchiveOutside,
  mountDisk,
  mountObjection,
  needing,
  test as plainTest,
  reportWorkspace,
  rotateLog,
} from '../../harness/index.ts'
import { matrix } from './matrix.ts'
import { redWithoutCleanup } from './red-without-cleanup.ts'

const test = plainTest.extend('rights', { scope: 'file' }, () => ({ mayMount: true }))

const reported = needing(['report workspace'], test)

const logs = ['stream log', 'progress'] as const
/** Prints some lines before its gate, and these after it. */
const talks = { persona: 'talks', events: 40 }
const claudeIsGone = { killed: 'claude ends itself', crashed: 'claude itself was killed' }

matrix(
  [
    {
      name: 'stale locks',
      directive: {},
      system: ['report workspace'],
      before: leaveStaleLocks,
      traces: [['process', /^claude /]],
      outlives: claudeIsGone,
    },
    {
      name: 'archive on another device',
      directive: {},
      system: ['report workspace'],
      objection: mountObjection,
      before: ({ rig }) => mountDisk(rig, reportWorkspace(rig).archive, 1024),
      traces: [['process', /^claude /]],
      outlives: claudeIsGone,
    },
    {
      name: 'log rotated',
      directive: talks,
      system: ['logs'],
      before: rotateLog,
      traces: [['file', /^stream log .*_stream\.jsonl\.1/]],
      outlives: { killed: true, crashed: true },
      endings: ['completes from outside', 'killed'],
    },
    {
      name: 'log deleted',
      directive: talks,
      system: ['logs'],
      before: deleteLog,
      traces: [['line', /^(\d+) of \1 lines .*are lost; no file of the log is left/]],
      outlives: { killed: true, crashed: true },
      // A crash takes the last holder of the log with it, and until a completion is cleaned up, nothing is lost.
      endings: ['killed'],
    },
  ],
  test,
)

reported('registry cut in half × killed', async ({ rig }) => {
  const cell = await deployCell(rig, { shape: {}, ending: 'killed' })
  await redWithoutCleanup(/Unterminated string/, async () => {
    const registry = await cutRegistry(rig)
    await expectUntouched(cell.agent, async () => {
      expect(await cell.agent.killIsRefused()).toMatch(/AGENT_REGISTRY\.json/)
    })
    await registry.mend()
    await expectCleanEnd(cell, 'killed')
  })
})

reported('registry cut in half × crashed', async ({ rig }) => {
  const cell = await deployCell(rig, { shape: {}, ending: 'crashed' })
  await redWithoutCleanup(/expected the sandbox to return to its baseline/, async () => {
    const registry = await cutRegistry(rig)
    await endings.crashed.happens(cell.agent)
    await expectFilesKept(cell.agent, ['prompt', ...logs])
    await registry.mend()
    await expectCleanedUp(cell, 'crashed') // nobody calls a tool
  })
})

reported('archive linked out of the workspace × killed', async ({ rig }) => {
  const cell = await deployCell(rig, { shape: {}, ending: 'killed' })
  await redWithoutCleanup(/expected the system to refuse kill,/, async () => {
    const { outside, mend } = await linkArchiveOutside(cell.agent)
    await expectUntouched(cell.agent, async () => {
      expect(await cell.agent.killIsRefused()).toMatch(/outside/)
    })
    expect((await rig.probe.collect(outside)).map(({ path }) => path)).toEqual([])
    await mend()
    await expectCleanEnd(cell, 'killed')
  })
})

reported('archive linked out of the workspace × completes from inside', async ({ rig }) => {
  const cell = await deployCell(rig, { shape: {}, ending: 'completes from inside' })
  await redWithoutCleanup(/is completed already/, async () => {
    const { outside, mend } = await linkArchiveOutside(cell.agent)
    await expectUntouched(cell.agent, () => cell.agent.reportsCompletedInVain())
    expect((await rig.probe.collect(outside)).map(({ path }) => path)).toEqual([])
    await mend()
    await expectCleanEnd(cell, 'completes from outside') // somebody reports it again
  })
})

// The whole workspace is on it: registries, the daemon's log, the agents' logs.
const onSmallDisk = test.extend('prepareSandbox', () => async (probe, { work }) => {
  await mountDisk({ probe }, work, 4096).catch(() => {})
})

needing(['kill'], onSmallDisk)('full disk × killed', async ({ rig, skip }) => {
  const objection = await mountObjection(rig)
  if (objection) skip(objection)
  const cell = await deployCell(rig, { shape: {}, ending: 'killed' })
  await redWithoutCleanup(/expected the sandbox to return to its baseline/, async () => {
    const disk = await fillDisk(rig, rig.places.work)
    await endings.killed.happens(cell.agent) // it may be what fills the disk
    await disk.empty()
    await expectCleanedUp(cell, 'crashed') // nothing could record that it was killed
  })
})

needing([], onSmallDisk)('full disk × crashed', async ({ rig, skip }) => {
  const objection = await mountObjection(rig)
  if (objection) skip(objection)
  const cell = await deployCell(rig, { shape: {}, ending: 'crashed' })
  await redWithoutCleanup(/expected the sandbox to return to its baseline/, async () => {
    const disk = await fillDisk(rig, rig.places.work)
    await endings.crashed.happens(cell.agent)
    await disk.empty()
    await expectCleanedUp(cell, 'crashed') // nobody calls a tool
  })
})

reported('archive on a full device × killed', async ({ rig, skip }) => {
  const objection = await mountObjection(rig)
  if (objection) skip(objection)
  const cell = await deployCell(rig, { shape: {}, ending: 'killed' })
  await redWithoutCleanup(/expected the sandbox to return to its baseline/, async () => {
    const { archive, task } = reportWorkspace(rig)
    await mountDisk(rig, archive, 64)
    const disk = await fillDisk(rig, archive)
    await rig.askTool('kill_real_agent', { task_id: task, agent_id: cell.agent.id })
    await expectFilesKept(cell.agent, [...logs])
    await disk.empty()
    await expectCleanEnd(cell, 'killed') // somebody calls it again
  })
})
