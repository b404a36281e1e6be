import {
  type EndingName,
  endings,
  endsWell,
  enterHostileAgents,
  expect,
  hostileIds,
  isAsItWas,
  plantVictims,
  poll,
  refusesHostileIds,
  setScene,
  test,
} from '../../harness/index.ts'
import { provesRed } from './red-without-cleanup.ts'

const leaks = { red: /expected the sandbox to return to its baseline/ }

test('hostile ids asked for × killed', async ({ rig }) => {
  await plantVictims(rig)
  const scene = await setScene(rig, { shape: {}, ending: 'killed' })
  await refusesHostileIds(rig)
  await provesRed(leaks, () => endsWell(scene, 'killed'))
})

for (const ending of ['killed', 'crashed'] satisfies EndingName[])
  test(`hostile ids in the registry × ${ending}`, async ({ rig }) => {
    await plantVictims(rig)
    const scene = await setScene(rig, { shape: {}, ending })
    const entries = await enterHostileAgents(rig)
    await provesRed({ red: /what is wrong besides the hostile entries/ }, async () => {
      await endings[ending].happens(scene.agent)
      let rest: string[] = []
      await poll(20_000, async () => {
        const { leaks, collateral } = await rig.difference()
        const known = leaks.filter(
          ({ kind, owner }) => kind === 'registry' && hostileIds.includes(owner?.agent ?? ''),
        )
        rest = [...leaks, ...collateral].filter(one => !known.includes(one)).map(({ what }) => what)
        return rest.length === 0 || undefined
      })
      expect(rest, 'what is wrong besides the hostile entries').toEqual([])
      await entries.mend()
      await isAsItWas(scene, endings[ending].status)
    })
  })
