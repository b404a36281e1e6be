import { setTimeout as delay } from 'node:timers/promises'
import { CannotMeasureError, daemonCommand, poll } from '../../harness/index.ts'
import type { World } from './world.ts'

/** How long a cleaning that was handed over is waited for, ms: it may be done already. */
const handOverMs = 700

/** SIGKILL for the process outside the agent to which a cleaner inside has handed its work. */
export async function killHandOver({ rig, present }: World, afterMs: number): Promise<string | undefined> {
  if (!present.some(({ reports }) => reports)) return undefined
  const command = String.raw`^\S+ \S*/cleanup/bin/hand-over\.ts `
  const killed = await rig.probe.signalFirst({ command, withinMs: handOverMs, afterMs }, 'SIGKILL')
  return killed && `the hand-over process is killed ${afterMs} ms after it was seen`
}

/** SIGKILL for the daemon, whatever it is at; it stays away until somebody starts it. */
export async function stopDaemon(world: World, afterMs: number): Promise<string | undefined> {
  const { rig, company, daemon } = world
  if (!daemon) return undefined
  await delay(afterMs)
  await rig.probe.signal(daemon, 'SIGKILL')
  company.removeProcess(daemon)
  world.daemon = undefined
  return `the daemon is killed after ${afterMs} ms`
}

/** As a service manager does it. */
export async function startDaemon(world: World): Promise<void> {
  const { rig, company } = world
  const daemon = await rig.probe.plant(daemonCommand(rig.places, rig.system.pid))
  const isReady = await poll(10_000, async () => {
    const { resources } = await rig.look()
    return resources.some(one => one.kind === 'descriptor' && one.pid === daemon.pid) || undefined
  })
  if (!isReady) throw new CannotMeasureError('The daemon that was started anew took no lock within 10 s.')
  await company.addProcess(daemon)
  world.daemon = daemon
}

/**
 * SIGKILL for the orchestrator, with all cleanings that it is at, and a new one in its place. What it was asked
 * for and had not written down yet is forgotten: such an agent lives on.
 */
export async function killOrchestrator(world: World, afterMs: number): Promise<string> {
  const { rig, company } = world
  await delay(afterMs)
  await rig.probe.signal(rig.system, 'SIGKILL')
  company.removeProcess(rig.system)
  await forgetCalls(world)
  await company.addProcess(await rig.startSystem())
  // It has started a daemon where there was none, and the one before may have left with its owner.
  if (world.daemon) company.removeProcess(world.daemon)
  await world.findDaemon()
  if (world.daemon) await company.addProcess(world.daemon)
  return `the orchestrator is killed after ${afterMs} ms, and started anew`
}

async function forgetCalls(world: World): Promise<void> {
  const errors = await Promise.all(world.calls.map(({ error }) => error))
  const failed = world.calls.splice(0).filter((_, index) => errors[index])
  for (const whose of new Set(failed.map(call => call.whose))) {
    const asked = new Set(failed.filter(call => call.whose === whose).map(({ ends }) => ends))
    const { status } = (await whose.agent.registered()).task ?? {}
    if (status !== 'working' || !whose.ends.isSubsetOf(asked)) continue
    whose.ends.clear()
    await world.company.add(whose.agent.id)
  }
}
