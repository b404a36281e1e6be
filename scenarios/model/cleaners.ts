import { setTimeout as delay } from 'node:timers/promises'
import { CannotMeasureError, daemonCommand, poll } from '../../harness/index.ts'
import { heldByDaemon, type World } from './world.ts'

/** How long to wait for the hand-over process, ms: it may have ended already. */
const handOverMs = 700

/** How long a daemon may take until it holds its lock, ms. */
const startWithinMs = 20_000

/** A cleaner inside its agent only records the intent and hands over, which takes a tenth of the time of others. */
const insideShare = 10

/**
 * SIGKILL for the MCP server inside an agent during its call that reports completion. Only for agents without a Bash tool:
 * their claude exits by itself after its result, and has completed all the same.
 */
export async function killInside({ rig, present }: World, afterMs: number): Promise<string | undefined> {
  const whose = present.find(({ reports, bash }) => reports && !bash)
  const server = (await whose?.agent.journal())?.find(({ role }) => role === 'mcp')?.pid
  const process = (await whose?.agent.processes())?.find(({ pid }) => pid === server)
  if (!whose || !process) return undefined
  await delay(afterMs / insideShare)
  if (!(await rig.probe.signal(process, 'SIGKILL'))) return undefined
  return `${whose.name}'s own MCP server is killed`
}

/** SIGKILL for the process outside of the agent that a cleaner inside has handed its work to. */
export async function killHandOver({ rig, present }: World, afterMs: number): Promise<string | undefined> {
  if (!present.some(({ reports }) => reports)) return undefined
  const command = String.raw`^\S+ \S*/hand-over\.(ts|mjs) `
  const killed = await rig.probe.signalWhenSeen({ command, withinMs: handOverMs, afterMs }, 'SIGKILL')
  return killed && `the hand-over process is killed ${afterMs} ms after it was seen`
}

/** SIGKILL for the daemon, whatever it does. A daemon that stood by replaces it; otherwise there is none until a restart. */
export async function stopDaemon(
  { rig, expected, daemons }: World,
  afterMs: number,
): Promise<string | undefined> {
  await delay(afterMs)
  for (let daemon = daemons.shift(); daemon; daemon = daemons.shift()) {
    expected.removeProcess(daemon)
    if (await rig.probe.signal(daemon, 'SIGKILL')) return `the daemon is killed after ${afterMs} ms`
  }
  return undefined
}

/** Starts a daemon as a service manager does. */
export async function startDaemon(world: World): Promise<void> {
  const { rig, expected } = world
  const daemon = await rig.probe.plant(daemonCommand(rig.places, rig.system.pid))
  const watches = await poll(startWithinMs, async () => {
    const { resources } = await rig.snapshot()
    return resources.some(one => one.kind === 'descriptor' && one.pid === daemon.pid) || undefined
  })
  if (!watches) throw new CannotMeasureError('The daemon that was started again took no lock in time.')
  await expected.addProcess(daemon, heldByDaemon)
  world.daemons.push(daemon)
}

/**
 * SIGKILL for the orchestrator, with all cleanups that it is doing, and a restart. Calls that it had not recorded yet are
 * lost, and their agents live on.
 */
export async function killOrchestrator(world: World, afterMs: number): Promise<string> {
  const { rig, expected } = world
  await delay(afterMs)
  await rig.probe.signal(rig.system, 'SIGKILL')
  expected.removeProcess(rig.system)
  await forgetCalls(world)
  await rig.startSystem()
  await expected.addProcess(rig.system)
  await world.findDaemon()
  return `the orchestrator is killed after ${afterMs} ms, and restarted`
}

async function forgetCalls(world: World): Promise<void> {
  const errors = await Promise.all(world.calls.map(({ error }) => error))
  const failed = world.calls.splice(0).filter((_, index) => errors[index])
  for (const whose of new Set(failed.map(call => call.whose))) {
    const asked = new Set(failed.filter(call => call.whose === whose).map(({ ends }) => ends))
    const { status } = (await whose.agent.registered()).task ?? {}
    if (status !== 'working' || !whose.ends.isSubsetOf(asked)) continue
    whose.ends.clear()
    await world.expected.add(whose.agent.id)
  }
}
