import { join } from 'node:path'
import { expect } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { runSoak } from '../../catalogue/run-soak.ts'
import { test } from '../../rig/fixtures.ts'
import { judgeSoak } from '../../soak/judge.ts'
import type { ResourceSlope } from '../../soak/result.ts'
import type { SoakRound } from '../../soak/round.ts'
import { ownSystem } from '../../systems/systems.ts'

needsNamespaces()

const module = join(import.meta.dirname, '../fixtures/slow-leaks.ts')

/** Our own system, with a step after each deploy that leaks for some agents. */
const leaking = (leak: string) => {
  const system = ownSystem('hybrid')
  const step = { kind: 'function' as const, module, path: [leak], timeoutMs: 10_000 }
  return test.extend('system', () => ({ ...system, name: leak, deploy: [...system.deploy, step] }))
}

interface Case {
  leak: string
  resource: string
  /** What it leaks with each agent. */
  slope: number
  agents: number
  tags: string[]
}

const cases: Case[] = [
  { leak: 'file', resource: 'files: other', slope: 1 / 5, agents: 2, tags: ['long'] },
  { leak: 'process', resource: 'all processes', slope: 1 / 20, agents: 8, tags: ['long', 'nightly'] },
  { leak: 'memory', resource: 'memory of the system', slope: 1e6, agents: 8, tags: ['long', 'nightly'] },
]

for (const { leak, resource, slope, agents, tags } of cases)
  leaking(leak)(`a slow leak is seen: ${leak}`, { tags, timeout: 1_200_000 }, async ({ rig, bystanders }) => {
    const rounds: SoakRound[] = []
    const plan = { seed: 7, agents, rounds: 13 }
    await runSoak(rig, bystanders, plan, async round => rounds.push(round))
    const { slopes } = judgeSoak(plan, rounds)
    const found = slopes.find(one => one.resource === resource) as ResourceSlope
    expect(found).toMatchObject({ verdict: 'leak' })
    // The heap of Node itself grows beside the megabyte.
    if (leak !== 'memory') expect(found.lower).toBeLessThanOrEqual(slope)
    expect(found.upper).toBeGreaterThanOrEqual(slope)
    const others = slopes
      .filter(one => one.unit === 'count' && one.verdict === 'leak')
      .map(one => one.resource)
    expect(others).toEqual(leak === 'memory' ? [] : [resource])
  })
