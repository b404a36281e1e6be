import { expect } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { test as rigTest } from '../../rig/fixtures.ts'
import { ownSystem } from '../../systems/systems.ts'

needsNamespaces()

const test = rigTest.extend('system', () => ownSystem('immediate'))

test('the time line of a kill has the signals of the cleanup, to processes that snapshots showed', async ({
  rig,
}) => {
  const agent = await rig.deploy({ persona: 'works' })
  await agent.isKilled()
  await rig.settle()
  await rig.noteSignals()
  const { signals = [], lives } = rig.timeline.timeline
  const claude = lives.find(({ agent: owner, what }) => owner === agent.id && what.startsWith('claude ('))
  expect(signals).toContainEqual(
    expect.objectContaining({ signal: 'SIGTERM', process: claude?.id, agent: agent.id, by: 'call' }),
  )
})
