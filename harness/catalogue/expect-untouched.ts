import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Agent } from '../rig/agent.ts'
import type { FileClass, Resource, ResourceKind, Snapshot } from '../snapshot/snapshot.ts'

/** How long to watch after a refusal, ms: longer than a cleaner takes from its answer to its first signal. */
const watchMs = 1_500

/**
 * Expects that what happens (a refusal, or something that is no end) makes nobody end or delete anything: some time after
 * it, every resource of the agent is still there, and no more of its processes are stopped or dead.
 * @param kinds the kinds of resources that count
 */
export async function expectUntouched(
  agent: Agent,
  happens: () => Promise<unknown>,
  kinds: ResourceKind[] = ['session', 'pane', 'process', 'file'],
): Promise<void> {
  const before = own(agent, await agent.rig.snapshot(), kinds)
  expect(before.size).toBeGreaterThan(0)
  await happens()
  await delay(watchMs)
  const after = own(agent, await agent.rig.snapshot(), kinds)
  const touched = [...before].filter(([id, state]) => after.get(id) !== state)
  expect(touched, 'resources of the agent that were changed').toEqual([])
}

function own(agent: Agent, { resources }: Snapshot, kinds: ResourceKind[]): Map<string, string> {
  const mine = resources.filter(({ kind, owner }) => kinds.includes(kind) && owner?.agent === agent.id)
  return new Map(mine.map(one => [one.id, state(one)]))
}

function state(one: Resource): string {
  return one.kind === 'process' && /[TZ]/.test(one.state) ? one.state : 'there'
}

/** Expects that for some time every file of these classes stays and none gets shorter, whatever happens to processes. */
export async function expectFilesKept(agent: Agent, classes: FileClass[]): Promise<void> {
  const before = files(agent, await agent.rig.snapshot(), classes)
  expect(before.size).toBeGreaterThan(0)
  await delay(watchMs)
  const after = files(agent, await agent.rig.snapshot(), classes)
  const lost = [...before].filter(([path, bytes]) => (after.get(path) ?? -1) < bytes)
  expect(lost, 'files that were lost meanwhile').toEqual([])
}

function files(agent: Agent, { resources }: Snapshot, classes: FileClass[]): Map<string, number> {
  return new Map(
    resources.flatMap(one =>
      one.kind === 'file' && one.owner?.agent === agent.id && classes.includes(one.class)
        ? [[one.path, one.bytes]]
        : [],
    ),
  )
}
