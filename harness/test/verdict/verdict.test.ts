import { expect, vi } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { reportWorkspace } from '../../catalogue/report-workspace.ts'
import { test } from '../../rig/fixtures.ts'
import { SnapshotSingleFlight } from '../../rig/snapshot-single-flight.ts'
import type { Snapshot } from '../../snapshot/snapshot.ts'
import { settle } from '../../verdict/settle.ts'
import { stableBaseline } from '../../verdict/stable-baseline.ts'

needsNamespaces()

test('without a deploy there is no verdict', async ({ rig }) => {
  await expect(rig.settle()).rejects.toThrow(/Nothing was deployed/)
})

test('an unknown persona is reported with the fake’s own message', async ({ rig }) => {
  await expect(rig.deploy({ persona: 'sings' })).rejects.toThrow(/refused to start: .*sings.*completes/)
})

test('with an unreadable registry there is no verdict, and the cleanup neither kills nor deletes', async ({
  rig,
}) => {
  const agent = await rig.deploy({ persona: 'works' })
  const registry = reportWorkspace(agent.rig).taskRegistry
  await rig.probe.write(registry, '{"agents": [')
  await agent.isKilled()
  expect(rig.unmet).toEqual([
    expect.stringMatching(/^The system answered kill with a failure: .*AGENT_REGISTRY\.json/),
  ])
  expect((await agent.processes()).map(({ comm }) => comm)).toEqual(expect.arrayContaining(['claude', 'tee']))
  const timing = { deadlineMs: 500, restMs: 200, samples: 3 }
  await expect(rig.settle(timing)).rejects.toThrow(
    /could not read everything: .*AGENT_REGISTRY\.json is not a readable/,
  )
})

test('after an ending the baseline cannot be widened, because a leak would pass for a bystander', async ({
  rig,
}) => {
  const agent = await rig.deploy({ persona: 'works' })
  await agent.isKilled()
  await expect(rig.plant(['sleep', '1000'])).rejects.toThrow(/before the first ending/)
})

test('the archive of no agent proves nothing', async () => {
  await expect(expect([]).toHaveArchivedLogs()).rejects.toThrow(/no agent was named/)
})

const nothing = (at: number): Snapshot => ({ at, resources: [], ignored: [], problems: [] })

test('a baseline that changes all the time is inconclusive', async () => {
  let taken = 0
  const restless = async (): Promise<Snapshot> => {
    const path = `/tmp/${taken++}`
    return { ...nothing(taken), resources: [{ kind: 'pty', id: `pty ${path}`, path }] }
  }
  await expect(stableBaseline(restless, 100, 500)).rejects.toThrow(
    /was not stable within \d+\.\d s; .*pty \/tmp/,
  )
})

test('when the two instruments disagree, there is no verdict', async () => {
  const instruments = { snapshot: async () => nothing(performance.now()), countByPs: async () => 1 }
  const known = {
    agents: [],
    keeps: [],
    endedAt: performance.now(),
    system: new Set<string>(),
    foregroundTasks: new Set<string>(),
  }
  await expect(settle(instruments, nothing(0), known)).rejects.toThrow(
    /\/proc shows 0 processes and ps-list 1/,
  )
})

test('setting the wall clock changes no duration', async () => {
  const clock = vi.spyOn(Date, 'now')
  let hours = 0
  clock.mockImplementation(() => 1e12 + 3_600_000 * (hours++ % 2 === 0 ? hours : -hours))
  try {
    const path = '/tmp/left'
    const leak = { kind: 'file', id: `file ${path}`, path, class: 'other', bytes: 1 } as const
    const lookout = new SnapshotSingleFlight(async () => ({ ...nothing(0), resources: [leak] }))
    const instruments = { snapshot: () => lookout.take(), countByPs: async () => 0 }
    const known = {
      agents: [],
      keeps: [],
      endedAt: performance.now(),
      system: new Set<string>(),
      foregroundTasks: new Set<string>(),
    }
    const timing = { deadlineMs: 60_000, restMs: 200, samples: 3 }
    const { leaks } = await settle(instruments, nothing(0), known, timing)
    const [outlived] = leaks.map(({ outlivedMs }) => outlivedMs)
    expect(outlived).toBeGreaterThanOrEqual(150)
    expect(outlived).toBeLessThan(60_000)
  } finally {
    clock.mockRestore()
  }
})
