import fc from 'fast-check'
import { defectiveSystem, expect, testRuns } from '../../harness/index.ts'
import { sequences } from './commands.ts'
import { runSequence } from './run-sequence.ts'

/** A seeded fault ends nothing slowly: what is left after this is left. */
const patience = { deadlineMs: 15_000, restMs: 3_000, samples: 3 }

/** A defect that no single agent shows, a seed that comes upon it soon, and what it is to be reduced to. */
const seeded = [
  {
    defect: 'undoes what others wrote meanwhile',
    seed: 1,
    complaint: /should be (terminated|completed|crashed), and is crashed|cleanup is undefined/,
  },
  {
    defect: 'kills the session by its bare name',
    seed: 1,
    complaint: /collateral of agent/,
  },
]

for (const { defect, seed, complaint } of seeded) {
  const test = testRuns.extend('system', () => places => defectiveSystem(defect, places))
  test.concurrent(`a cleanup that ${defect} is found, and by a short sequence`, async ({ freshRig }) => {
    const property = fc.asyncProperty(sequences, commands => runSequence(freshRig, commands, patience))
    const found = await fc.check(property, { seed, numRuns: 40, interruptAfterTimeLimit: 60_000 })
    console.log(
      found.counterexamplePath,
      found.numRuns,
      found.numShrinks,
      JSON.stringify(found.counterexample),
      String(found.errorInstance),
    )
    expect(found.failed).toBe(true)
    expect(String(found.errorInstance)).toMatch(complaint)
    expect(found.counterexample?.[0].length).toBeLessThan(6)
  })
}
