import { CannotMeasureError } from '../errors.ts'
import type { Rig } from '../rig/rig.ts'

/**
 * Plants a user's background service of claude with a session at work. It has a home of its own, so that an agent's
 * `claude --bg` starts another service. Call it before the first deploy, so that it is part of the baseline.
 */
export async function plantUsersBackgroundService({ probe, places }: Rig): Promise<void> {
  const command = `mkdir -p ${places.home}/of-user && HOME=${places.home}/of-user exec claude --bg 'Help me.'`
  const { code, stderr } = await probe.run(['sh', '-c', command])
  if (code !== 0)
    throw new CannotMeasureError(`The user’s background service could not be planted: ${stderr.trim()}`)
}
