import { describe, expect } from 'vitest'
import { testProgram } from '../../../bin/programs.ts'
import { findingsText } from '../../report/text.ts'
import type { Agent } from '../../rig/agent.ts'
import type { Bystanders } from '../../rig/bystanders.ts'
import { test } from '../../rig/fixtures.ts'
import type { Rig } from '../../rig/rig.ts'
import type { ResourceKind } from '../../snapshot/snapshot.ts'
import { orchestratorCommand } from '../../systems/systems.ts'

/** A seeded fault ends nothing slowly: what is left after this is left. */
const timing = { deadlineMs: 15_000, restMs: 1_500, samples: 3 }

/** What the rig has to find about a cleanup: the verdict, and each finding by its kind and a part of its description. */
export interface Expected {
  result: 'leak' | 'collateral'
  findings: [ResourceKind, RegExp][]
  /** Whom the agent stands beside. */
  beside?: (rig: Rig, agent: Agent, bystanders: Bystanders) => Promise<unknown>
}

/**
 * One test for each cleanup with a seeded fault, by the fault's name: the rig has to be red, and to name it. Those that are
 * not `chosen` run in npm run test:all.
 */
export function expectRed(seeded: Record<string, Expected>, chosen: readonly string[]): void {
  for (const [defect, { result, findings, beside }] of Object.entries(seeded)) {
    describe(`a cleanup that ${defect}`, { tags: chosen.includes(defect) ? [] : ['long'] }, () => {
      withDefect(defect)('is red, and named', async ({ rig, bystanders }) => {
        const agent = await rig.deploy({ persona: 'works' })
        await beside?.(rig, agent, bystanders)
        await agent.isKilled()
        const verdict = await rig.settle(timing)
        for (const [kind, what] of findings) {
          const found = [...verdict.leaks, ...verdict.collateral].filter(one => one.verdict === result)
          expect(found).toContainEqual(expect.objectContaining({ kind, what: expect.stringMatching(what) }))
        }
        expect(verdict.result, findingsText(verdict)).toBe(result)
      })
    })
  }
}

/** A test against our orchestrator with one of the defective cleanups of defects.ts. */
export function withDefect(defect: string) {
  return test.extend('system', () => places => {
    const { env, ...command } = orchestratorCommand([testProgram('defective-orchestrator'), defect], places)
    // A subreaper around the launch would keep below the pane what these cleanups have to look for.
    return { ...command, env: { ...env, LEAKRIG_CONTAINMENT: 'none' } }
  })
}
