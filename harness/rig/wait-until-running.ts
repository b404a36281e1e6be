import { CannotMeasureError } from '../errors.ts'
import { Limit } from '../limit.ts'
import { poll } from '../poll.ts'
import type { ProbeApi } from '../probe/api.ts'
import type { Agent } from './agent.ts'
import { type Directive, directiveText } from './directive.ts'
import { missingLoad, missingReported } from './required-load.ts'

const deadlineMs = 60_000

/** How long to wait for the message of a claude that refuses to start, ms. */
const refusesWithinMs = 30_000

/**
 * Waits until an agent runs, and until a snapshot shows everything that it consists of and everything that it made.
 * @throws CannotMeasureError when that does not happen: absence afterwards would prove nothing
 */
export async function waitUntilRunning(agent: Agent): Promise<void> {
  const { probe } = agent.rig
  await agent.waitUntilReady().catch(async error => {
    throw (await agent.journal()).length > 0 ? error : ((await refusal(probe, agent.directive)) ?? error)
  })
  await probe.registerReported(agent.id, await agent.reportedResources())
  await waitForLoad(agent)
}

/** Why claude refuses a directive. This runs claude once more, because the message is gone with the agent's pane. */
async function refusal(probe: ProbeApi, directive: Directive): Promise<CannotMeasureError | undefined> {
  const run = () => probe.run(['claude', '--print', directiveText(directive)]).catch(() => undefined)
  const result = await poll(refusesWithinMs, run)
  if (!result || result.code === 0) return undefined
  return new CannotMeasureError(`The fake claude refused to start: ${result.stderr.trim()}`)
}

async function waitForLoad(agent: Agent): Promise<void> {
  let missing: string[] = []
  const reported = await agent.reportedResources()
  const limit = new Limit(deadlineMs)
  const seen = await poll(deadlineMs, async () => {
    const snapshot = await agent.rig.snapshot()
    missing = [...missingLoad(agent.id, snapshot), ...missingReported(reported, snapshot)]
    return missing.length === 0 || undefined
  })
  if (seen) return
  const log = await agent.rig.probe.systemLog()
  throw new CannotMeasureError(
    `Agent ${agent.id} was deployed, but its ${missing.join(', ')} did not appear within ${limit.elapsed}. ${log}`,
  )
}
