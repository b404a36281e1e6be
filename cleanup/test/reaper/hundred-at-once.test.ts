import { test } from 'vitest'
import { expectAllCleanedConcurrently } from '../support/concurrent-cleaners.ts'
import { Rig } from '../support/rig.ts'

test('a hundred agents at the same instant, through a hundred processes', {
  tags: ['long'],
  timeout: 600_000,
}, async () => {
  await using rig = await Rig.start()
  await expectAllCleanedConcurrently(rig, 100)
})
