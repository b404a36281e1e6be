import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { findingsText } from '../report/text.ts'
import type { Agent } from '../rig/agent.ts'
import type { Bystanders } from '../rig/bystanders.ts'
import { test as rigTest } from '../rig/fixtures.ts'
import type { Rig } from '../rig/rig.ts'
import type { ResourceKind } from '../snapshot/snapshot.ts'
import { orchestratorCommand } from '../systems/systems.ts'

/** A seeded fault ends nothing slowly: what is left after this is left. */
const patience = { deadlineMs: 15_000, restMs: 2_000, samples: 3 }

/** What the rig has to find: the verdict, and each finding by its kind and a part of its description. */
interface Expected {
  result: 'leak' | 'collateral'
  findings: [ResourceKind, RegExp][]
  /** Whom it stands beside. */
  beside?: (rig: Rig, agent: Agent, bystanders: Bystanders) => Promise<unknown>
}

/** An agent that stays, and whose id begins with the other's: a bare name that is gone matches it. */
const namesake = async (rig: Rig, agent: Agent) =>
  (await rig.deploy({ persona: 'works', type: agent.id })).stays()

const seeded: Record<string, Expected> = {
  'leaves the prompt': { result: 'leak', findings: [['file', /^prompt /]] },
  'leaves the logs where they are': { result: 'leak', findings: [['file', /^progress /]] },
  'ends nothing': {
    result: 'leak',
    findings: [
      ['session', /^tmux session agent_/],
      ['process', /^claude /],
      ['process', /^tee /],
      ['process', /^bash .*shell-snapshots/],
      ['descriptor', /_stream\.jsonl, open for writing in tee/],
      ['registry', /is terminated, and it lives/],
    ],
  },
  'kills the session by its bare name': {
    result: 'collateral',
    findings: [['session', /^tmux session agent_/]],
    beside: namesake,
  },
  'kills every claude': {
    result: 'collateral',
    findings: [['process', /^claude /]],
    beside: (_rig, _agent, bystanders) => bystanders.claude('my-claude'),
  },
  'stops a bystander': {
    result: 'collateral',
    findings: [['process', /sleep 98765/]],
    beside: rig => rig.plant(['sleep', '98765']),
  },
  'kills at once and does not look again': {
    result: 'leak',
    findings: [
      ['process', /^bash .*shell-snapshots/],
      ['file', /^claude state /],
    ],
  },
  'counts by hand': { result: 'leak', findings: [['registry', /counts active_count 7/]] },
  'loses an update': {
    result: 'leak',
    findings: [['registry', /says .* is working, and nothing of it lives/]],
  },
  'forgets the global registry': { result: 'leak', findings: [['registry', /the global registry says/]] },
  'opens a file for each call': {
    result: 'leak',
    findings: [['descriptor', /of the system holds \d+ descriptors/]],
  },
  'holds a deleted log open': {
    result: 'leak',
    findings: [['descriptor', /copy\.jsonl \(deleted\), open for reading/]],
  },
  'leaves a temporary file': { result: 'leak', findings: [['file', /^temp .*\.tmp/]] },
  'leaves a child behind': { result: 'leak', findings: [['process', /sleep 98766/]] },
}

for (const [defect, { result, findings, beside }] of Object.entries(seeded)) {
  describe(`a cleanup that ${defect}`, () => {
    withDefect(defect)('is red, and named', async ({ rig, bystanders }) => {
      const agent = await rig.deploy({ persona: 'works' })
      await beside?.(rig, agent, bystanders)
      await agent.isKilled()
      const verdict = await rig.settle(patience)
      for (const [kind, what] of findings) {
        const found = [...verdict.leaks, ...verdict.collateral].filter(one => one.verdict === result)
        expect(found).toContainEqual(expect.objectContaining({ kind, what: expect.stringMatching(what) }))
      }
      expect(verdict.result, findingsText(verdict)).toBe(result)
    })
  })
}

const unarchived: Record<string, RegExp> = {
  'throws a log away': /_progress\.jsonl is not in/,
  'cuts the log before it is drained': /bytes of a half line, and 0 were written/,
}

for (const [defect, complaint] of Object.entries(unarchived)) {
  describe(`a cleanup that ${defect}`, () => {
    withDefect(defect)('has no complete archive', async ({ rig }) => {
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
