import { expect, expectTypeOf, test } from 'vitest'
import { type Agent, type Bystanders, type Rig, test as scenario } from '../../library.ts'
import type { Agent as OwnAgent } from '../../rig/agent.ts'
import type { Bystanders as OwnBystanders } from '../../rig/bystanders.ts'
import { test as ownScenario } from '../../rig/fixtures.ts'
import type { Rig as OwnRig } from '../../rig/rig.ts'

// The compiler checks these, in `npm run check`.
test('the rig has everything that the library promises', () => {
  expectTypeOf<OwnAgent>().toExtend<Agent>()
  expectTypeOf<OwnRig>().toExtend<Rig>()
  expectTypeOf<OwnBystanders>().toExtend<Bystanders>()
  expect(scenario).toBe(ownScenario)
})
