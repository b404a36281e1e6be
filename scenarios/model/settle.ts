import {
  archiveFaults,
  findingsText,
  parseJson,
  poll,
  reportWorkspace,
  strayArchives,
} from '../../harness/index.ts'
import { startDaemon } from './cleaners.ts'
import type { World } from './world.ts'

/** How long the registries may lag behind the sandbox, ms: the end of a cleanup is recorded last. */
const writtenWithinMs = 5_000

/**
 * Waits until nothing changes any more, and compares the sandbox with the model.
 * @throws an Error that says what is left, gone or registered wrongly
 */
export async function settle(world: World): Promise<void> {
  const { rig, expected } = world
  if (world.daemons.length === 0) {
    await startDaemon(world)
    world.log.push('the daemon is started')
  }
  const faults = await callFaults(world)
  const verdict = await rig.settle(world.timing, await expected.atSettling())
  if (verdict.result !== 'pass') faults.push(findingsText(verdict))
  faults.push(...(await registryFaults(world)), ...(await logFaults(world)))
  if (faults.length > 0) throw new Error(faults.join('\n'))
  for (const one of world.agents) one.over ||= one.ends.size > 0
}

/** A call may be refused only where another ending of the same agent came first. */
async function callFaults(world: World): Promise<string[]> {
  const calls = world.calls.splice(0)
  const errors = await Promise.all(calls.map(({ error }) => error))
  return errors.flatMap((error, index) => {
    const { whose, ends } = calls[index] as (typeof calls)[number]
    return error && whose.ends.size === 1
      ? `${whose.name} should have been ${ends}, but the call failed: ${error}`
      : []
  })
}

async function registryFaults(world: World): Promise<string[]> {
  let faults: string[] = []
  await poll(writtenWithinMs, async () => {
    faults = await registryFaultsNow(world)
    return faults.length === 0 || undefined
  })
  return faults
}

async function registryFaultsNow({ rig, agents }: World): Promise<string[]> {
  const faults: string[] = []
  const found = { live: 0, completed: 0 }
  for (const { agent, name, ends } of agents) {
    const { task, global } = await agent.registered()
    const allowed = ends.size > 0 ? [...ends] : ['working']
    if (!allowed.includes(String(task?.status)) || global?.status !== task?.status)
      faults.push(
        `${name} should be ${allowed.join(' or ')}, but is ${task?.status} in its task’s registry and ${global?.status} in the global one`,
      )
    const cleanup = (task?.cleanup as { state?: string } | undefined)?.state
    if (cleanup !== (ends.size > 0 ? 'done' : undefined)) faults.push(`${name}'s cleanup is ${cleanup}`)
    if (ends.size === 0) found.live += 1
    if (task?.status === 'completed') found.completed += 1
  }
  const counts = await readCounts(rig)
  const expected = { ...found, spawned: agents.length, allLive: found.live, allSpawned: agents.length }
  for (const [key, value] of Object.entries(expected))
    if (counts[key] !== value) faults.push(`the registries count ${counts[key]} ${key}, and it is ${value}`)
  return faults
}

async function readCounts(rig: World['rig']): Promise<Record<string, unknown>> {
  const { taskRegistry, globalRegistry } = reportWorkspace(rig)
  const task = parseJson((await rig.probe.read(taskRegistry)) ?? '{}')
  const global = parseJson((await rig.probe.read(globalRegistry)) ?? '{}')
  return {
    live: task.active_count,
    completed: task.completed_count,
    spawned: task.total_spawned,
    allLive: global.active_agents,
    allSpawned: global.total_agents_spawned,
  }
}

/** When a pane dies while claude still prints, the last lines are lost, so only the names of those logs are checked. */
async function logFaults({ rig, agents }: World): Promise<string[]> {
  const ended = agents.filter(({ ends, over }) => ends.size > 0 && !over)
  const whole = ended.filter(({ ends }) => ends.size === 1 || !ends.has('crashed'))
  const faults = await Promise.all(whole.map(({ agent }) => archiveFaults(rig, agent)))
  const all = agents.filter(({ ends }) => ends.size > 0).map(({ agent }) => agent)
  return [...faults.flat(), ...(await strayArchives(rig, all))]
}
