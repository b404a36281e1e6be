import fc from 'fast-check'
import { defectiveSystem, expect, testRuns } from '../../harness/index.ts'
import { sequences } from './commands.ts'
import { runSequence } from './run-sequence.ts'

/** The seeded defects end nothing slowly: what is left after this time is a leak. */
const timing = { deadlineMs: 15_000, restMs: 2_500, samples: 3 }

/**
 * Defects that need more than one agent, each with a seed whose first sequence finds it, and the number of commands in the
 * shortest sequence that still does.
 */
const seeded = [
  { defect: 'kills the session by its bare name', seed: 2024, shortest: 3, complaint: /collateral of agent/ },
  {
    defect: 'undoes what others wrote meanwhile',
    seed: 318869,
    shortest: 4,
    complaint: /should be terminated|cleanup is/,
  },
]

for (const { defect, seed, shortest, complaint } of seeded) {
  const test = testRuns.extend('system', () => defectiveSystem(defect))
  test(`a cleanup that ${defect} is found, and reduced to a short sequence`, {
    timeout: 600_000,
  }, async ({ freshRig }) => {
    const property = fc.asyncProperty(sequences, commands => runSequence(freshRig, commands, timing))
    const { counterexample, errorInstance } = await fc.check(property, { seed, numRuns: 1 })
    expect(String(errorInstance)).toMatch(complaint)
    expect(counterexample?.[0]).toHaveLength(shortest)
  })
}
