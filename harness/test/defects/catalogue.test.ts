import { describe, expect } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { deployCell, expectCleanEnd } from '../../catalogue/cell.ts'
import { deleteLog, linkArchiveOutside } from '../../catalogue/faults/files.ts'
import { openMorePanes } from '../../catalogue/faults/tmux.ts'
import { plantHooks } from '../../catalogue/hooks.ts'
import { userJoins, windowMovesToUser } from '../../catalogue/user-joins.ts'
import { findingsText } from '../../report/findings-text.ts'
import type { Agent } from '../../rig/agent.ts'
import type { Rig } from '../../rig/rig.ts'
import type { ResourceKind } from '../../snapshot/snapshot.ts'
import { withDefect } from './expect-red.ts'

needsNamespaces()

/** A cell of the catalogue that shows a defect: the shape, and the finding. */
interface Shown {
  shape?: string
  prepare?: (rig: Rig) => Promise<void>
  before?: (agent: Agent) => Promise<void>
  result: 'leak' | 'collateral'
  finding: [ResourceKind, RegExp]
}

/** Each ends within the grace of the hand-written cleanup. */
const timing = { deadlineMs: 15_000, restMs: 1_500, samples: 3 }

const shown: Record<string, Shown> = {
  'walks only descent': { shape: 'daemon', result: 'leak', finding: ['process', /child\.pl/] },
  'only looks at the first pane': {
    before: openMorePanes,
    result: 'leak',
    finding: ['process', /sleep 1200/],
  },
  'exits before it kills': {
    shape: 'own-session+term-ignored',
    result: 'leak',
    finding: ['process', /child\.pl/],
  },
  'skips the stopped': {
    shape: 'own-session+stopped',
    result: 'leak',
    finding: ['process', /child\.pl/],
  },
  'claims by the id in the command line': {
    result: 'collateral',
    finding: ['process', /^(grep|tail|sh) /],
  },
  'kills nested servers by their name': {
    shape: 'nested-server',
    result: 'collateral',
    finding: ['session', /agent_of-mine/],
  },
  'rewrites the registries as JavaScript parses them': {
    result: 'collateral',
    finding: ['registry', /of_somebody_else in the task registry/],
  },
  'loses what it does not know': {
    result: 'collateral',
    finding: ['registry', /of_somebody_else of the entry of-somebody-else in the global registry/],
  },
  'ends the sessions that no registry lists': {
    result: 'collateral',
    finding: ['session', /agent_notes/],
  },
  'kills the session that its pane is in': {
    before: windowMovesToUser,
    result: 'collateral',
    finding: ['session', /my-later-work/],
  },
  // By the marker, which the server of an agent hands on to everybody.
  'does all by hand': {
    shape: 'nested-server',
    before: userJoins,
    result: 'collateral',
    finding: ['session', /my-later-work/],
  },
  'kills claude within its hooks': {
    prepare: plantHooks,
    result: 'leak',
    finding: ['file', /^claude state /],
  },
  'ends the jobs of the tmux server': {
    shape: 'tmux-job',
    result: 'collateral',
    finding: ['process', /sleep infinity/],
  },
  'kills the server': { result: 'collateral', finding: ['session', /my-work/] },
}

/** One that leaks, one that harms a bystander, and one that is sound. The others run in npm run test:all. */
const chosen = ['walks only descent', 'claims by the id in the command line', 'more panes']
const tags = (name: string) => (chosen.includes(name) ? [] : ['long'])

for (const [defect, { shape, prepare, before, result, finding }] of Object.entries(shown))
  describe(`a cleanup that ${defect}`, { tags: tags(defect) }, () => {
    withDefect(defect)('is red in a cell of the catalogue', async ({ rig }) => {
      await prepare?.(rig)
      const { agent } = await deployCell(rig, { shape: shape ? { shape } : {}, ending: 'killed' })
      await before?.(agent)
      await agent.isKilled()
      const verdict = await rig.settle(timing)
      const [kind, what] = finding
      const found = [...verdict.leaks, ...verdict.collateral].filter(one => one.verdict === result)
      expect(found, findingsText(verdict)).toContainEqual(
        expect.objectContaining({ kind, what: expect.stringMatching(what) }),
      )
      expect(verdict.result).toBe(result)
    })
  })

describe('a cleanup that follows a linked archive', () => {
  withDefect('follows a linked archive')('does not refuse, and files lie outside', async ({ rig }) => {
    const { agent } = await deployCell(rig, { shape: {}, ending: 'killed' })
    const { outside } = await linkArchiveOutside(agent)
    await expect(agent.killIsRefused()).rejects.toThrow(/expected the system to refuse kill,/)
    expect((await rig.probe.collect(outside)).map(({ path }) => path)).toContainEqual(
      expect.stringContaining(`/${agent.id}_stream.jsonl`),
    )
  })
})

/** Shows that the cells above fail because of the defects, and not because of the hand-written cleanup. */
const alsoGreen = ['daemon', 'own-session+term-ignored', 'own-session+stopped', 'more panes']

describe('a cleanup that knows the log by its path only', { tags: ['long'] }, () => {
  withDefect('does all by hand')('loses the lines of a deleted log, and is red', async ({ rig }) => {
    const { agent } = await deployCell(rig, { shape: { persona: 'talks', events: 3 }, ending: 'killed' })
    await deleteLog(agent)
    await agent.isKilled()
    await expect(expect(rig).toReturnToBaseline(agent)).rejects.toThrow(
      /line +\d+ of \d+ lines of the stream log/,
    )
    expect(rig.verdicts.at(-1)).toMatchObject({
      result: 'leak',
      leaks: [{ kind: 'line', owner: { agent: agent.id }, command: expect.stringContaining(agent.id) }],
    })
  })
})

describe('the same cleanup by hand without a fault', () => {
  for (const shape of alsoGreen)
    withDefect('does all by hand')(`is green: ${shape}`, { tags: tags(shape) }, async ({ rig }) => {
      const panes = shape === 'more panes'
      const cell = await deployCell(rig, { shape: panes ? {} : { shape }, ending: 'killed' })
      if (panes) await openMorePanes(cell.agent)
      await expectCleanEnd(cell, 'killed')
    })
})
