import fc from 'fast-check'
import { testRuns as test } from '../../harness/index.ts'
import { sequences } from './commands.ts'
import { failureText, runSequence } from './run-sequence.ts'
import { readSettings, shards } from './settings.ts'

const settings = readSettings(process.env)

test.concurrent.for(shards(settings))(
  'no sequence leaks, or harms a bystander (seed $seed, $runs runs)',
  { timeout: settings.runs * 60_000 },
  async ({ seed, path, runs }, { freshRig }) => {
    let done = 0
    const property = fc.asyncProperty(sequences, async commands => {
      await runSequence(freshRig, commands)
      done += 1
      if (done % 25 === 0) console.log(`seed ${seed}: ${done} sequences were as the model says`)
    })
    const details = await fc.check(property, {
      seed,
      numRuns: runs,
      ...(path && { path, endOnFailure: true }),
    })
    if (details.failed) throw new Error(failureText(details))
  },
)
