import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { test as rigTest } from '../rig/fixtures.ts'
import type { ResourceKind } from '../snapshot/snapshot.ts'
import { orchestratorCommand } from '../systems/systems.ts'

/** A seeded fault ends nothing slowly: what is left after this is left. */
const patience = { deadlineMs: 15_000, restMs: 2_000, samples: 3 }

/** The fault, and what the rig has to find: a verdict, the kind of resource, and a part of its description. */
const seeded: [string, 'leak' | 'collateral', ResourceKind, RegExp][] = [
  ['leaves the prompt', 'leak', 'file', /^prompt /],
  ['leaves the logs where they are', 'leak', 'file', /^progress /],
  ['ends nothing', 'leak', 'session', /^tmux session agent_/],
  ['ends nothing', 'leak', 'process', /^claude /],
  ['ends nothing', 'leak', 'process', /^tee /],
  ['ends nothing', 'leak', 'descriptor', /_stream\.jsonl, open for writing in tee/],
  ['ends nothing', 'leak', 'registry', /is terminated, and it lives/],
  ['kills the session by its bare name', 'collateral', 'session', /^tmux session agent_/],
  ['kills every claude', 'collateral', 'process', /^claude /],
  ['stops a bystander', 'collateral', 'process', /sleep 98765/],
  ['kills at once and does not look again', 'leak', 'process', /^bash .*shell-snapshots/],
  ['kills at once and does not look again', 'leak', 'file', /^claude state /],
  ['counts by hand', 'leak', 'registry', /counts active_count 7/],
  ['loses an update', 'leak', 'registry', /says .* is working, and nothing of it lives/],
  ['forgets the global registry', 'leak', 'registry', /the global registry says/],
  ['opens a file for each call', 'leak', 'descriptor', /of the system holds \d+ descriptors/],
  ['holds a deleted log open', 'leak', 'descriptor', /copy\.jsonl \(deleted\), open for reading/],
  ['leaves a temporary file', 'leak', 'file', /^temp .*\.tmp/],
  ['leaves a child behind', 'leak', 'process', /sleep 98766/],
]

const byDefect = Map.groupBy(seeded, ([defect]) => defect)

for (const [defect, expected] of byDefect) {
  describe(`a cleanup that ${defect}`, () => {
    const test = withDefect(defect)
    test('is red, and named', async ({ rig, bystanders }) => {
      await bystanders.claude('my-claude')
      await rig.plant(['sleep', '98765'])
      const agent = await rig.deploy({ persona: 'works' })
      // Its id begins with the other's: a bare name that is gone matches it.
      const neighbour = await rig.deploy({ persona: 'works', type: agent.id })
      await neighbour.stays()
      await agent.isKilled()
      const verdict = await rig.settle(patience)
      for (const [, result, kind, what] of expected) {
        const found = (result === 'leak' ? verdict.leaks : verdict.collateral).filter(
          one => one.kind === kind,
        )
        expect(found.map(one => one.what)).toContainEqual(expect.stringMatching(what))
      }
      expect(verdict.result).toBe(expected[0]?.[1])
    })
  })
}

const unarchived: [string, RegExp][] = [
  ['throws a log away', /_progress\.jsonl is not in/],
  ['cuts the log before it is drained', /bytes of a half line, and 0 were written/],
]

for (const [defect, complaint] of unarchived) {
  describe(`a cleanup that ${defect}`, () => {
    const test = withDefect(defect)
    test('has no complete archive', async ({ rig }) => {
      const agent = await rig.deploy({ persona: 'works' })
      await agent.isKilled()
      await rig.settle()
      await expect(expect(agent).toHaveArchivedLogs()).rejects.toThrow(complaint)
    })
  })
}

describe('the sound cleanup', () => {
  rigTest('is green, and not red for another status or another archive', async ({ rig }) => {
    const agent = await rig.deploy({ persona: 'works' })
    await agent.isKilled()
    await expect(rig).toReturnToBaseline()
    await expect(agent).toHaveArchivedLogs()
    await expect(expect(agent).toBeRegisteredAs('completed')).rejects.toThrow(
      /registered as completed.*terminated/,
    )
    await expect(expect(agent).toBeRegisteredAs('terminated', /storm/)).rejects.toThrow(/a reason like/)
    await expect(expect(rig).not.toReturnToBaseline()).rejects.toThrow(/and it did/)
  })
})

function withDefect(defect: string) {
  const program = join(import.meta.dirname, 'defects/orchestrator.ts')
  return rigTest.extend('system', () => places => orchestratorCommand([program, defect], places))
}
