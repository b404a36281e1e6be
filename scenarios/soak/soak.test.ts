import { runSoak, settings, test } from '../../harness/index.ts'

test('soak', { timeout: 0 }, async ({ rig, bystanders, annotate }) => {
  const { soak } = settings()
  if (!soak) throw new Error('leakrig soak runs this.')
  await runSoak(rig, bystanders, soak, round => annotate(JSON.stringify(round), 'soak'))
})
