import { expect } from 'vitest'
import type { Agent } from '../rig/agent.ts'
import type { Rig } from '../rig/rig.ts'

/** Outside of what snapshots show. */
const savedFile = ({ places }: Pick<Rig, 'places'>) => `${places.own}/saved`

/**
 * Gives every claude of the user two hooks at its session's end: one that saves something in half a second, and one that
 * hangs, so that claude takes over 4 s to end. Call it before the first deploy.
 */
export async function plantHooks(rig: Rig): Promise<void> {
  const commands = [`sleep 0.5; echo saved >>'${savedFile(rig)}'`, 'sleep 1200; :']
  const hooks = commands.map(command => ({ type: 'command', command }))
  const settings = { hooks: { SessionEnd: [{ hooks }] } }
  await rig.probe.write(`${rig.places.home}/.claude/settings.json`, JSON.stringify(settings))
}

/** Expects that the agent's claude was given the time to run its hooks. */
export async function expectHookRun({ rig }: Agent): Promise<void> {
  expect(await rig.probe.read(savedFile(rig)), 'what the hook at the session’s end saved').toBe('saved\n')
}
