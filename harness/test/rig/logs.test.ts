import { expect } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { reportWorkspace } from '../../catalogue/report-workspace.ts'
import { expect as expectRig } from '../../index.ts'
import { poll } from '../../poll.ts'
import type { Agent } from '../../rig/agent.ts'
import { test } from '../../rig/fixtures.ts'

needsNamespaces()

/** More events than it can print before it is ended. */
const EVENTS = 100_000
/** It is ended after so many events. */
const PRINTED = 10_000

const ends = {
  'by the cleanup': (agent: Agent) => agent.isKilled(),
  'by kill -9 of claude': (agent: Agent) => agent.losesItsClaude(),
}

for (const [how, end] of Object.entries(ends))
  test(`every event of a claude that prints at full speed is kept when it is ended ${how}`, async ({
    rig,
  }) => {
    const agent = await rig.deploy({ persona: 'talks', events: EVENTS })
    await agent.goesOn()
    expect(await poll(20_000, async () => (await said(agent, 'event')) > PRINTED || undefined)).toBe(true)
    await end(agent)
    await expectRig(rig).toReturnToBaseline()

    // The pipe took every event, because tee outlived claude, and each is at its place in the archive.
    await expectRig(agent).toHaveArchivedLogs()
    expect(await said(agent, 'lost')).toBe(0)
    const numbers = await archived(agent)
    expect(numbers).toEqual(Array.from(numbers, (_, at) => at + 1))
    expect(numbers.length, 'it was not through').toBeLessThan(EVENTS)
    expect(numbers.length).toBeGreaterThan(PRINTED)
  })

async function said(agent: Agent, what: string): Promise<number> {
  return (await agent.journal()).filter(entry => entry.what === what).length
}

/** The numbers of the archived events. Fails where the last line is not a whole one. */
async function archived({ rig, id }: Agent): Promise<number[]> {
  const text = (await rig.probe.read(`${reportWorkspace(rig).archive}/${id}_stream.jsonl`)) ?? ''
  expect(text.slice(-2)).toBe('}\n')
  return [...text.matchAll(/"Event (\d+) of /g)].map(([, number]) => Number(number))
}
