import { describe, expect } from 'vitest'
import { findingsText } from '../../report/findings-text.ts'
import type { Agent } from '../../rig/agent.ts'
import type { Bystanders } from '../../rig/bystanders.ts'
import { test } from '../../rig/fixtures.ts'
import type { Rig } from '../../rig/rig.ts'
import type { ResourceKind } from '../../snapshot/snapshot.ts'
import { defectiveSystem } from '../../systems/systems.ts'

/** The seeded defects end nothing slowly: what is left after this time is a leak. */
const timing = { deadlineMs: 15_000, restMs: 1_500, samples: 3 }

/** What the rig has to find: the verdict, and findings by kind and a pattern for the description. */
export interface Expected {
  result: 'leak' | 'collateral'
  findings: [ResourceKind, RegExp][]
  /** The bystanders of the agent. */
  beside?: (rig: Rig, agent: Agent, bystanders: Bystanders) => Promise<unknown>
}

/**
 * Makes one test for each defect, which expects that the rig finds and describes it. Those that are not `chosen` run in npm
 * run test:all.
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
  // A subreaper around the launch would keep processes below the pane that these cleanups have to search for.
  return test.extend('system', () => defectiveSystem(defect, 'immediate', { LEAKRIG_CONTAINMENT: 'none' }))
}
