import {
  deployCell,
  type EndingName,
  endings,
  enterHostileAgents,
  expect,
  expectCleanEnd,
  expectCleanedUp,
  hostileIds,
  hostileText,
  needing,
  plantVictims,
  poll,
  refusesHostileIds,
  test,
} from '../../harness/index.ts'
import { matrix } from './matrix.ts'
import { redWithoutCleanup } from './red-without-cleanup.ts'

const reported = needing(['report workspace'])

const leaks = /expected the sandbox to return to its baseline/

reported('hostile ids asked for × killed', async ({ rig }) => {
  await plantVictims(rig)
  const cell = await deployCell(rig, { shape: {}, ending: 'killed' })
  await refusesHostileIds(rig)
  await redWithoutCleanup(leaks, () => expectCleanEnd(cell, 'killed'))
})

for (const ending of ['killed', 'crashed'] satisfies EndingName[])
  reported(`hostile ids in the registry × ${ending}`, async ({ rig }) => {
    await plantVictims(rig)
    const cell = await deployCell(rig, { shape: {}, ending })
    const entries = await enterHostileAgents(rig)
    await redWithoutCleanup(/what is wrong besides the hostile entries/, async () => {
      await endings[ending].happens(cell.agent)
      let rest: string[] = []
      await poll(20_000, async () => {
        const { leaks, collateral } = await rig.difference()
        const expected = leaks.filter(
          ({ kind, owner }) => kind === 'registry' && hostileIds.includes(owner?.agent ?? ''),
        )
        rest = [...leaks, ...collateral].filter(one => !expected.includes(one)).map(({ what }) => what)
        return rest.length === 0 || undefined
      })
      expect(rest, 'what is wrong besides the hostile entries').toEqual([])
      await entries.mend()
      await expectCleanedUp(cell, endings[ending].status)
    })
  })

const inHostileFolder = test
  .extend('project', () => hostileText)
  .extend('prepareSandbox', () => async (probe, { work }) => {
    await probe.run(['mkdir', work])
  })

// A command that is run makes a file, which is a leak.
matrix(
  [
    {
      name: 'commands in folder and prompt',
      directive: { text: hostileText },
      traces: [['process', /^claude /]],
      outlives: { killed: 'claude ends itself', crashed: 'claude itself was killed' },
      endings: ['completes from inside', 'crashed'],
    },
  ],
  inHostileFolder,
)
