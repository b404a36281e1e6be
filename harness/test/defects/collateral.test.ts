import { describe, expect } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import type { Agent } from '../../rig/agent.ts'
import { test as soundTest } from '../../rig/fixtures.ts'
import type { Rig } from '../../rig/rig.ts'
import { type Expected, expectRed, withDefect } from './expect-red.ts'

needsNamespaces()

/** An agent that stays, and whose id begins with the other agent's: tmux matches it by the other's bare name. */
const namesake = async (rig: Rig, agent: Agent) =>
  (await rig.deploy({ persona: 'works', type: agent.id })).stays()

const seeded: Record<string, Expected> = {
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
}

expectRed(seeded, ['kills the session by its bare name'])

const unarchived: Record<string, RegExp> = {
  'throws a log away': /_progress\.jsonl is not in/,
  'cuts the log before it is drained':
    /bytes of an incomplete line, and 0 were written[\s\S]*\b1 of \d+ lines of the stream log .* are lost/,
}

for (const [defect, complaint] of Object.entries(unarchived)) {
  describe(`a cleanup that ${defect}`, { tags: defect.startsWith('throws') ? [] : ['long'] }, () => {
    withDefect(defect)('has no complete archive', async ({ rig }) => {
      const agent = await rig.deploy({ persona: 'works' })
      await agent.isKilled()
      await rig.settle()
      await expect(expect(agent).toHaveArchivedLogs()).rejects.toThrow(complaint)
    })
  })
}

describe('the sound cleanup', () => {
  soundTest('is green, and not red for another status or another archive', async ({ rig }) => {
    const agent = await rig.deploy({ persona: 'works' })
    await agent.isKilled()
    await expect(rig).toReturnToBaseline()
    await expect(agent).toHaveArchivedLogs()
    await expect(expect(agent).toBeRegisteredAs('completed')).rejects.toThrow(
      /registered as completed.*terminated/,
    )
    await expect(expect(agent).toBeRegisteredAs('terminated', /storm/)).rejects.toThrow(
      /a reason that matches/,
    )
    await expect(expect(rig).not.toReturnToBaseline()).rejects.toThrow(/and it did/)
  })
})
