import { type EndingName, endings, expect, settings, test } from '../../harness/index.ts'

/** `leakrig reproduce <shape>`: one agent that leaks this way, and how it ends. */
test('a leak shape', async ({ rig }) => {
  const { shape, ending = 'killed' } = settings().hold ?? {}
  const how = endings[ending as EndingName]
  const agent = await rig.deploy({ persona: how.persona(rig), shape })
  await how.happens(agent)
  await expect(rig).toReturnToBaseline()
})
